import type {ExecutionContext} from 'ava';

/** Equal but for rounding. */
export function near(t: ExecutionContext, actual: number, expected: number): void {
	t.true(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${actual} instead of ${expected}`);
}
