// Pictures as other programs take them.
import type {Architecture} from '../../lib/net/architecture.ts';

/** The centres of pictures [N, S, S, 3] as planes of floats, [N, 3, crop, crop]. */
export function centres({imageSize, crop}: Pick<Architecture, 'imageSize' | 'crop'>, images: Uint8Array): Float32Array {
	const count = images.length / (imageSize * imageSize * 3);
	const start = Math.floor((imageSize - crop) / 2);
	const planes = new Float32Array(count * 3 * crop * crop);
	let at = 0;
	for (let image = 0; image < count; ++image)
		for (let channel = 0; channel < 3; ++channel)
			for (let y = start; y < start + crop; ++y)
				for (let x = start; x < start + crop; ++x)
					planes[at++] = images[((image * imageSize + y) * imageSize + x) * 3 + channel]!;
	return planes;
}
