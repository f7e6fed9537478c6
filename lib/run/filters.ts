// The picture of conv1's kernels, as the paper's figure 3.
import sharp from 'sharp';
import {checked, filePath} from '../base/check.ts';
import {aModel, type Model} from '../net/model.ts';
import {columnOf, kernelPicture, readKernels, type Kernels} from './kernels.ts';

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
	await drawFilters(await readKernels(model), path);
}

export async function drawFilters(kernels: Kernels, path: string): Promise<void> {
	const {count, size, columns} = kernels;
	const rowsPerColumn = Math.ceil(count / columns / perRow);
	const cell = size * scale + gap;
	const [width, height] = [perRow * cell + gap, columns * rowsPerColumn * cell + gap * (columns + 1)];
	const pixels = new Uint8Array(width * height * 3).fill(255);
	for (let kernel = 0; kernel < count; ++kernel) {
		const column = columnOf(kernels, kernel);
		const place = kernel % (count / columns);
		const top = gap * (column + 1) + (column * rowsPerColumn + Math.floor(place / perRow)) * cell;
		const left = gap + (place % perRow) * cell;
		blit(pixels, width, kernelPicture(kernels, kernel), size, {top, left});
	}
	await sharp(pixels, {raw: {width, height, channels: 3}})
		.png()
		.toFile(path);
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
