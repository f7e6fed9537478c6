// Local response normalization across the channels of a column (paper 3.3):
//   d[c] = k + alpha * sum over j in window(c) of x[j]^2        output[c] = x[c] * d[c]^-beta
//   dx[c] = dy[c] * d[c]^-beta - 2 alpha beta x[c] * sum over j with c in window(j) of dy[j] x[j] d[j]^(-beta-1)
// window(c): channels at most floor(size / 2) from c, clipped to c's column. It is symmetric: c in window(j) when j in
// window(c).
import type {LrnOptions} from '../../device/operations.ts';
import {Sums} from '../tolerance.ts';

/** [N, H, W, C] and what is done with it. */
export interface LrnGeometry {
	readonly shape: readonly [number, number, number, number];
	readonly options: LrnOptions;
}

/** First and last channel of c's window. `channels` is a multiple of the columns. */
function windowOf(channel: number, channels: number, {columns = 1, size}: LrnOptions): [number, number] {
	const width = channels / columns;
	const first = Math.floor(channel / width) * width;
	const reach = Math.floor(size / 2);
	return [Math.max(first, channel - reach), Math.min(first + width - 1, channel + reach)];
}

/** d, for every element; `channels` is the last dimension of the tensor. */
function denominators(options: LrnOptions, channels: number, input: Float64Array): Float64Array {
	return input.map((_, i) => {
		const pixel = i - (i % channels);
		const [first, last] = windowOf(i % channels, channels, options);
		let squares = 0;
		for (let j = first; j <= last; j++) squares += input[pixel + j]! ** 2;
		return options.k + options.alpha * squares;
	});
}

/** output [N, H, W, C] */
export function lrn(options: LrnOptions, channels: number, input: Float64Array): Sums {
	const output = new Sums(input.length);
	denominators(options, channels, input).forEach((d, i) => output.add(i, input[i]! * d ** -options.beta));
	return output;
}

/** inputGradient [N, H, W, C] */
export function lrnBackward(
	options: LrnOptions,
	channels: number,
	input: Float64Array,
	outputGradient: Float64Array,
): Sums {
	const {alpha, beta} = options;
	const d = denominators(options, channels, input);
	const inputGradient = new Sums(input.length);
	input.forEach((x, i) => {
		inputGradient.add(i, outputGradient[i]! * d[i]! ** -beta);
		const pixel = i - (i % channels);
		const [first, last] = windowOf(i % channels, channels, options);
		for (let j = pixel + first; j <= pixel + last; j++) {
			inputGradient.add(i, -2 * alpha * beta * x * outputGradient[j]! * input[j]! * d[j]! ** (-beta - 1));
		}
	});
	return inputGradient;
}

// d = k + alpha * sum x^2 has positive terms only: each of the size squares, the sum, alpha and k adds at most one
// rounding, so d is off by (size + 3) roundings of itself and d^-beta by beta times as many. A power function adds up to
// 4 units in the last place, that is 8 roundings, and multiplying by the input one.
const powerRoundings = 8;
export function lrnRoundings({size, beta}: LrnOptions): number {
	return beta * (size + 3) + powerRoundings + 1;
}

// 1 / d is a division or, on GPUs, the square of an approximate root, which is off by 2^-22.9 at most (PTX ISA,
// rsqrt.approx.ftz), 2.2 roundings: twice those, and the product's.
const reciprocalRoundings = 6;
// The terms hold d^(-beta - 1), which is d^-beta times 1 / d, four multiplications more, and a sum of size + 1 terms.
export function lrnBackwardRoundings({size, beta}: LrnOptions): number {
	return (beta + 1) * (size + 3) + powerRoundings + reciprocalRoundings + 5 + (size + 1);
}
