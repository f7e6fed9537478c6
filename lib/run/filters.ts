// The picture of conv1's kernels, as the paper's figure 3.
import sharp from 'sharp';
import {checked, filePath} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {aModel, type Model} from '../net/model.ts';

/** Kernels in a row, as in figure 3: three rows a column of the net. */
const perRow = 16;
/** Pixels on a side of a weight, and between kernels. */
const scale = 4;
const gap = 4;

/**
 * Writes conv1's kernels as a PNG: column 0's above column 1's, each kernel scaled by its own largest weight, so that
 * grey is 0.                                                                                        paper 6.1, figure 3
 */
export async function writeFilters(model: Model, path: string): Promise<void> {
	checked('model', aModel, model);
	checked('path', filePath, path);
	const conv1 = model.parameters.find(({name}) => name === 'conv1.weight');
	if (!conv1) throw new AlexNetError('ALEXNET_ARGUMENT', 'A model without conv1 has no filters to show.');
	const [kernels, channels, size] = conv1.shape as [number, number, number, number];
	const weights = await model.exclusively(() => conv1.read('weights'));
	const columns = model.architecture.columns;
	const rowsPerColumn = Math.ceil(kernels / columns / perRow);
	const cell = size * scale + gap;
	const [width, height] = [perRow * cell + gap, columns * rowsPerColumn * cell + gap * (columns + 1)];
	const pixels = new Uint8Array(width * height * 3).fill(255);
	const elements = channels * size * size;
	for (let kernel = 0; kernel < kernels; ++kernel) {
		const column = Math.floor(kernel / (kernels / columns));
		const place = kernel % (kernels / columns);
		const top = gap * (column + 1) + (column * rowsPerColumn + Math.floor(place / perRow)) * cell;
		const left = gap + (place % perRow) * cell;
		const picture = kernelPicture(weights.subarray(kernel * elements, (kernel + 1) * elements), channels, size);
		blit(pixels, width, picture, size, {top, left});
	}
	await sharp(pixels, {raw: {width, height, channels: 3}})
		.png()
		.toFile(path);
}

/** [size, size, 3] in 0-255 from [channels, size, size]. */
function kernelPicture(weights: Float32Array, channels: number, size: number): Uint8Array {
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

function blit(
	pixels: Uint8Array,
	width: number,
	picture: Uint8Array,
	size: number,
	{top, left}: {top: number; left: number},
): void {
	for (let y = 0; y < size * scale; ++y) {
		for (let x = 0; x < size * scale; ++x) {
			const from = (Math.floor(y / scale) * size + Math.floor(x / scale)) * 3;
			pixels.set(picture.subarray(from, from + 3), ((top + y) * width + left + x) * 3);
		}
	}
}
