// A device's results against their definitions; see lib/selftest/tolerance.ts.
import type {ExecutionContext} from 'ava';
import type {RealType} from '../../lib/selftest/bfloat16.ts';
import {compareClose, compareEqual, type Sums} from '../../lib/selftest/tolerance.ts';

/** Checks every element; the failure message names the first that differs. An element that is not a number fails. */
export function assertClose(
	t: ExecutionContext,
	name: string,
	actual: Float64Array,
	expected: Sums,
	dataType: RealType,
	roundings?: (count: number) => number,
): void {
	const {failure} = compareClose(name, actual, expected, dataType, roundings);
	if (failure !== undefined) t.fail(failure);
}

/** Checks every element for equality. NaN equals NaN, and 0 equals -0. */
export function assertEqual(t: ExecutionContext, name: string, actual: Float64Array, expected: Float64Array): void {
	const {failure} = compareEqual(name, actual, expected);
	if (failure !== undefined) t.fail(failure);
}

/** Bit for bit, the sign of zeros included; NaN is NaN. */
export function assertSame(t: ExecutionContext, name: string, actual: Float64Array, expected: Float64Array): void {
	t.is(actual.length, expected.length, name);
	const first = actual.findIndex((value, index) => !Object.is(value, expected[index]));
	if (first >= 0) t.fail(`${name}: element ${first} is ${actual[first]!}, not ${expected[first]!}`);
}

/** L2 norm of the difference as a share of the first one's; NaN where the lengths differ. */
export function relativeDistance(a: Float32Array, b: Float32Array): number {
	if (a.length !== b.length) return NaN;
	let [squares, differences] = [0, 0];
	for (let i = 0; i < a.length; ++i) {
		squares += a[i]! ** 2;
		differences += (a[i]! - b[i]!) ** 2;
	}
	return Math.sqrt(differences / squares);
}
