// Checks a gradient against central differences of the function it claims to belong to, all in double precision.
import type {ExecutionContext} from 'ava';

/**
 * Central differences with step h are off by h^2 f''' / 6 + 2^-53 |f| / h, about 1e-9 for the functions here
 * (|f|, f''' up to some tens) at h = 1e-5. A wrong gradient is off by a share of its own size.
 */
export function assertGradient(
	t: ExecutionContext,
	name: string,
	loss: (point: Float64Array) => number,
	point: Float64Array,
	gradient: Float64Array,
): void {
	const step = 1e-5;
	t.is(gradient.length, point.length, `${name}: number of elements`);
	for (let i = 0; i < point.length; i++) {
		const moved = Float64Array.from(point);
		moved[i] = point[i]! + step;
		const above = loss(moved);
		moved[i] = point[i]! - step;
		const slope = (above - loss(moved)) / (2 * step);
		const error = Math.abs(slope - gradient[i]!);
		if (!(error <= 1e-7 * (1 + Math.abs(slope)))) {
			t.fail(`${name}: element ${i} is ${gradient[i]!}, finite differences give ${slope}`);
			return;
		}
	}
}

/** The scalar that a backward pass differentiates: the sum of outputs times the gradient that comes in. */
export function dot(a: Float64Array, b: Float64Array): number {
	return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
