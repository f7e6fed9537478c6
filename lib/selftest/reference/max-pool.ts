// Max pooling over windows that lie whole inside the input. Of equal maxima the first, row by row, gets the gradient.
import type {PoolOptions} from '../../device/operations.ts';
import {Sums} from '../tolerance.ts';
import {derivative} from './activate.ts';

/** [N, H, W, C] */
export type PoolInput = readonly [number, number, number, number];

export interface PoolGeometry {
	readonly shape: PoolInput;
	readonly options: PoolOptions;
}

/** [N, P, Q, C] */
export function poolOutputShape(
	[n, h, w, c]: PoolInput,
	{size, stride}: PoolOptions,
): [number, number, number, number] {
	return [n, Math.floor((h - size) / stride) + 1, Math.floor((w - size) / stride) + 1, c];
}

/** Calls `visit` for every window with its output's index and those of its inputs, row by row; the array is used again. */
export function forEachWindow(
	shape: PoolInput,
	{size, stride}: PoolOptions,
	visit: (output: number, inputs: Int32Array) => void,
): void {
	const [, height, width, channels] = shape;
	const [images, outputHeight, outputWidth] = poolOutputShape(shape, {size, stride});
	const inputs = new Int32Array(size * size);
	let output = 0;
	for (let n = 0; n < images; n++) {
		for (let p = 0; p < outputHeight; p++) {
			for (let q = 0; q < outputWidth; q++) {
				for (let c = 0; c < channels; c++) {
					for (let i = 0; i < inputs.length; i++) {
						const [y, x] = [p * stride + Math.floor(i / size), q * stride + (i % size)];
						inputs[i] = ((n * height + y) * width + x) * channels + c;
					}
					visit(output++, inputs);
				}
			}
		}
	}
}

/** For every output the index of the input that it is. A NaN wins. */
export function winners(shape: PoolInput, options: PoolOptions, input: Float64Array): Int32Array {
	const result = new Int32Array(poolOutputShape(shape, options).reduce((a, b) => a * b));
	forEachWindow(shape, options, (output, inputs) => {
		let best = inputs[0]!;
		for (const index of inputs) if (input[index]! > input[best]! || Number.isNaN(input[index])) best = index;
		result[output] = best;
	});
	return result;
}

/** output [N, P, Q, C] */
export function maxPool(shape: PoolInput, options: PoolOptions, input: Float64Array): Float64Array {
	return Float64Array.from(winners(shape, options, input), (winner) => input[winner]!);
}

/** inputGradient [N, H, W, C]; `activation`: what the input is the output of. */
export function maxPoolBackward(
	shape: PoolInput,
	options: PoolOptions,
	input: Float64Array,
	outputGradient: Float64Array,
	activation: 'none' | 'relu' = 'none',
): Sums {
	const inputGradient = new Sums(input.length);
	winners(shape, options, input).forEach((winner, o) => {
		inputGradient.add(winner, outputGradient[o]! * derivative(activation, input[winner]!));
	});
	return inputGradient;
}
