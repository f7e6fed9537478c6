// Convolution over NHWC with weights [K, R, S, C / groups], from its definition:
//   output[n,p,q,k] = bias[k] + sum over r,s,c of input[n, p * stride + r - top, q * stride + s - left, c] * weights[k,r,s,c]
// where c runs over the channels of k's group and pixels outside the image are zero. Worked out by rows of outputs.
import type {Pieces} from '../pieces.ts';
import {Sums} from '../tolerance.ts';

export interface ConvGeometry {
	/** [N, H, W, C] */
	input: readonly [number, number, number, number];
	/** [K, R, S] */
	window: readonly [number, number, number];
	stride: number;
	/** Top, left, bottom, right. */
	pads: readonly [number, number, number, number];
	groups: number;
}

/** [N, P, Q, K] */
export function convOutputShape({input, window, stride, pads}: ConvGeometry): [number, number, number, number] {
	const [n, h, w] = input;
	const [k, r, s] = window;
	const [top, left, bottom, right] = pads;
	return [n, Math.floor((h + top + bottom - r) / stride) + 1, Math.floor((w + left + right - s) / stride) + 1, k];
}

/** [K, R, S, C / groups] */
export function convWeightShape({input, window, groups}: ConvGeometry): [number, number, number, number] {
	return [...window, input[3] / groups];
}

/** Calls `visit` with the flat indices of every product output[o] += input[i] * weights[w]. */
function* forEachProduct(geometry: ConvGeometry, visit: (o: number, i: number, w: number) => void): Pieces<void> {
	const [, height, width, channels] = geometry.input;
	const [kernels, rows, columns] = geometry.window;
	const [top, left] = geometry.pads;
	const {stride, groups} = geometry;
	const depth = channels / groups;
	const [images, outputHeight, outputWidth] = convOutputShape(geometry);
	for (let n = 0; n < images; n++) {
		for (let p = 0; p < outputHeight; p++) {
			for (let q = 0; q < outputWidth; q++) {
				for (let k = 0; k < kernels; k++) {
					const output = ((n * outputHeight + p) * outputWidth + q) * kernels + k;
					const firstChannel = Math.floor(k / (kernels / groups)) * depth;
					for (let r = 0; r < rows; r++) {
						const y = p * stride + r - top;
						if (y < 0 || y >= height) continue;
						for (let s = 0; s < columns; s++) {
							const x = q * stride + s - left;
							if (x < 0 || x >= width) continue;
							const input = ((n * height + y) * width + x) * channels + firstChannel;
							const weight = ((k * rows + r) * columns + s) * depth;
							for (let c = 0; c < depth; c++) visit(output, input + c, weight + c);
						}
					}
				}
				yield;
			}
		}
	}
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** output [N, P, Q, K], before any activation */
export function* conv2d(
	geometry: ConvGeometry,
	input: Float64Array,
	weights: Float64Array,
	bias?: Float64Array,
): Pieces<Sums> {
	const output = new Sums(product(convOutputShape(geometry)));
	yield* forEachProduct(geometry, (o, i, w) => output.add(o, input[i]! * weights[w]!));
	if (bias) output.values.forEach((_, o) => output.add(o, bias[o % bias.length]!));
	return output;
}

/** inputGradient [N, H, W, C] */
export function* conv2dBackwardInput(
	geometry: ConvGeometry,
	outputGradient: Float64Array,
	weights: Float64Array,
): Pieces<Sums> {
	const inputGradient = new Sums(product(geometry.input));
	yield* forEachProduct(geometry, (o, i, w) => inputGradient.add(i, outputGradient[o]! * weights[w]!));
	return inputGradient;
}

/** weightGradient [K, R, S, C / groups] and biasGradient [K] */
export function* conv2dBackwardWeights(
	geometry: ConvGeometry,
	input: Float64Array,
	outputGradient: Float64Array,
): Pieces<{weightGradient: Sums; biasGradient: Sums}> {
	const weightGradient = new Sums(product(convWeightShape(geometry)));
	yield* forEachProduct(geometry, (o, i, w) => weightGradient.add(w, input[i]! * outputGradient[o]!));
	const biasGradient = new Sums(geometry.window[0]);
	outputGradient.forEach((gradient, o) => biasGradient.add(o % geometry.window[0], gradient));
	return {weightGradient, biasGradient};
}
