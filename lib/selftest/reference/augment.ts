// Crop, mirror, PCA colour, minus the mean image (paper 4.1):
//   output[n,h,w,c] = images[n, top + h, left + x, c] - mean[top + h, left + x, c] + colour[n,c]
//   x = w, or W - 1 - w where the view is mirrored
import {Sums} from '../tolerance.ts';

export interface AugmentGeometry {
	/** N */
	images: number;
	/** [Y, X] of the pictures */
	picture: readonly [number, number];
	/** [H, W] of the crop */
	crop: readonly [number, number];
}

/** images [N, Y, X, 3], views [N, 6]: top, left, mirrored, red, green, blue; mean [Y, X, 3]; output [N, H, W, 3] */
export function augment(
	{images, picture, crop}: AugmentGeometry,
	pixels: Uint8Array,
	views: Float64Array,
	mean: Float64Array,
): Sums {
	const [height, width] = crop;
	const output = new Sums(images * height * width * 3);
	for (let i = 0; i < output.values.length; i++) {
		const c = i % 3;
		const w = Math.floor(i / 3) % width;
		const h = Math.floor(i / (3 * width)) % height;
		const n = Math.floor(i / (3 * width * height));
		const [top, left, mirrored, ...colour] = views.subarray(n * 6, n * 6 + 6);
		const x = mirrored === 1 ? width - 1 - w : w;
		const pixel = ((top! + h) * picture[1] + left! + x) * 3 + c;
		output.add(i, pixels[n * picture[0] * picture[1] * 3 + pixel]!);
		output.add(i, -mean[pixel]!);
		output.add(i, colour[c]!);
	}
	return output;
}
