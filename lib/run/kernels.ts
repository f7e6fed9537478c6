// conv1's kernels, which see pixels: what is drawn and measured of a net.
import {AlexNetError} from '../base/errors.ts';
import type {Model} from '../net/model.ts';

export interface Kernels {
	/** [count, channels, size, size], column 0's first. */
	readonly weights: Float32Array;
	readonly count: number;
	readonly channels: number;
	readonly size: number;
	/** Columns of the net, which have equal shares of the kernels. */
	readonly columns: number;
}

const conv1 = 'conv1.weight';

/** Whether a net has a conv1 that sees pixels, as a net of somebody's own may not. */
export function hasKernels({parameters}: Model): boolean {
	return parameters.find(({name}) => name === conv1)?.shape[1] === 3;
}

/** @throws ALEXNET_ARGUMENT where the net has no conv1. */
export async function readKernels(model: Model): Promise<Kernels> {
	const parameter = model.parameters.find(({name}) => name === conv1);
	if (!parameter) throw new AlexNetError('ALEXNET_ARGUMENT', 'A model without conv1 has no filters to show.');
	const [count, channels, size] = parameter.shape as [number, number, number, number];
	const weights = await model.exclusively(() => parameter.read('weights'));
	return {weights, count, channels, size, columns: model.architecture.columns};
}

/** The weights of one of them: [channels, size, size]. */
export function weightsOf({weights, channels, size}: Kernels, kernel: number): Float32Array {
	const elements = channels * size * size;
	return weights.subarray(kernel * elements, (kernel + 1) * elements);
}

export function columnOf({count, columns}: Kernels, kernel: number): number {
	return Math.floor(kernel / (count / columns));
}

/** A kernel as a picture [size, size, 3] in 0-255, scaled by its largest weight, so that grey is 0. */
export function kernelPicture(kernels: Kernels, kernel: number): Uint8Array {
	const {channels, size} = kernels;
	const weights = weightsOf(kernels, kernel);
	const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1e-30);
	const picture = new Uint8Array(size * size * 3);
	for (let pixel = 0; pixel < size * size; ++pixel) {
		for (let channel = 0; channel < 3; ++channel) {
			const weight = weights[(channel % channels) * size * size + pixel] ?? 0;
			picture[pixel * 3 + channel] = Math.round(127.5 + (127.5 * weight) / largest);
		}
	}
	return picture;
}
