// How far a device may be from the double-precision definition of an operation.
//
//   |device - definition| <= roundings * u32 * sum |terms| + u * |definition|
//
// with u32 = 2^-24 (all sums are fp32) and u the unit roundoff of the output's type. Inputs are exact in their type and
// the definition sees the same ones, so rounding them costs nothing. `roundings` is derived where the operation is
// defined or checked; the second term is the one rounding of the result to its type.
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

/** What came of a comparison. */
export interface Comparison {
	/** The worst element's error as a share of what is permitted; Infinity where an element is not a number. */
	readonly share: number;
	/** The first element that differs by more than is permitted, in words; none where all is right. */
	readonly failure?: string;
}

/**
 * Compares every element with its definition; `roundings` is given the number of an element's terms. What is no finite
 * number must be just that.
 */
export function compareClose(
	name: string,
	actual: Float64Array,
	expected: Sums,
	dataType: RealType,
	roundings: (count: number) => number = accumulation,
): Comparison {
	return compare(name, actual, expected.values, (i) => {
		const value = expected.values[i]!;
		if (!Number.isFinite(value)) return isSame(actual[i]!, value) ? 0 : Infinity;
		const computed = roundings(expected.counts[i]!) * unitRoundoff.float32 * expected.terms[i]!;
		const bound = computed + unitRoundoff[dataType] * (Math.abs(value) + computed) + smallestNormal;
		const error = Math.abs(actual[i]! - value);
		return Number.isNaN(error) ? Infinity : error / bound;
	});
}

/** Compares every element for equality. NaN equals NaN, and 0 equals -0. */
export function compareEqual(name: string, actual: Float64Array, expected: Float64Array): Comparison {
	return compare(name, actual, expected, (i) => {
		return isSame(actual[i]!, expected[i]!) ? 0 : Infinity;
	});
}

function isSame(one: number, other: number): boolean {
	return one === other || (Number.isNaN(one) && Number.isNaN(other));
}

function compare(
	name: string,
	actual: Float64Array,
	expected: Float64Array,
	shareOf: (index: number) => number,
): Comparison {
	if (actual.length !== expected.length) {
		return {share: Infinity, failure: `${name}: ${actual.length} elements, expected ${expected.length}`};
	}
	let [share, first, wrong] = [0, -1, 0];
	for (let i = 0; i < actual.length; i++) {
		const own = shareOf(i);
		if (own > share) share = own;
		if (own <= 1) continue;
		if (first < 0) first = i;
		wrong++;
	}
	if (first < 0) return {share};
	const times = Number.isFinite(share) ? `, the worst by ${share.toPrecision(3)} times the permitted error` : '';
	return {
		share,
		failure: `${name}: element ${first} of ${actual.length} is ${actual[first]!}, expected ${expected[first]!}; ${wrong} differ${times}`,
	};
}
