// How far a device may be from the double-precision definition of an operation.
//
//   |device - definition| <= roundings * u32 * sum |terms| + u * |definition|
//
// with u32 = 2^-24 (all sums are fp32) and u the unit roundoff of the output's type. Inputs are exact in their type and
// the definition sees the same ones, so rounding them costs nothing. `roundings` is derived where the operation is
// tested; the second term is the one rounding of the result to its type.
import type {ExecutionContext} from 'ava';
import type {RealType} from './bfloat16.ts';

export const unitRoundoff = {float32: 2 ** -24, bfloat16: 2 ** -8};

/** Results below the smallest normal fp32 and bf16 number may be flushed to zero. */
const smallestNormal = 2 ** -126;

/** What a definition returns: for each element the value, the sum of its terms' absolute values, and their number. */
export class Sums {
	readonly values: Float64Array;
	readonly terms: Float64Array;
	readonly counts: Uint32Array;

	constructor(length: number) {
		this.values = new Float64Array(length);
		this.terms = new Float64Array(length);
		this.counts = new Uint32Array(length);
	}

	add(index: number, term: number): void {
		this.values[index]! += term;
		this.terms[index]! += Math.abs(term);
		this.counts[index]!++;
	}
}

/**
 * Roundings in an fp32 sum of `count` products in any order. Each of the count additions is off by at most u32 times a
 * partial sum, which is at most sum |terms|: count in the worst case. Rounding errors have either sign, so (Azuma's
 * inequality; Higham and Mary, "A new approach to probabilistic rounding error analysis", 2019) the sum stays within
 * 7 sqrt(count) but for once in 2 * 10^10 elements. One more for rounding the products (fp32 without fused
 * multiply-add; those of bf16 are exact).
 */
export function accumulation(count: number): number {
	return 1 + Math.min(count, 7 * Math.sqrt(count));
}

/** tanh in fp32: good libraries stay within 2 to 4 units in the last place, which are two roundings each. */
export const tanhRoundings = 8;

/** Checks every element; the failure message names the worst. An element that is not a number fails. */
export function assertClose(
	t: ExecutionContext,
	name: string,
	actual: Float64Array,
	expected: Sums,
	dataType: RealType,
	roundings: (count: number) => number = accumulation,
): void {
	t.is(actual.length, expected.values.length, `${name}: number of elements`);
	let worst = -1;
	let worstShare = 1;
	for (let i = 0; i < actual.length; i++) {
		const value = expected.values[i]!;
		const computed = roundings(expected.counts[i]!) * unitRoundoff.float32 * expected.terms[i]!;
		const bound = computed + unitRoundoff[dataType] * (Math.abs(value) + computed) + smallestNormal;
		const error = Math.abs(actual[i]! - value);
		const share = Number.isNaN(error) ? Infinity : error / bound;
		if (share <= worstShare) continue;
		worst = i;
		worstShare = share;
	}
	if (worst < 0) return;
	t.fail(
		`${name}: element ${worst} of ${actual.length} is ${actual[worst]!}, expected ${expected.values[worst]!}, ` +
			`which is ${worstShare.toPrecision(3)} times the permitted error`,
	);
}

/** Checks every element for equality. NaN equals NaN, and 0 equals -0. */
export function assertEqual(t: ExecutionContext, name: string, actual: Float64Array, expected: Float64Array): void {
	t.is(actual.length, expected.length, `${name}: number of elements`);
	const differs = (value: number, i: number): boolean =>
		value !== expected[i] && !(Number.isNaN(value) && Number.isNaN(expected[i]));
	const first = actual.findIndex(differs);
	if (first < 0) return;
	const count = actual.filter(differs).length;
	t.fail(
		`${name}: ${count} of ${actual.length} differ, element ${first} is ${actual[first]!}, not ${expected[first]!}`,
	);
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
