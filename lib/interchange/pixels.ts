// Pictures of floats: ours hold a pixel's three channels together, other programs a plane for each.

/** [S, S, 3] to [3, S, S]. */
export function toPlanes(pixels: Float32Array): Float32Array {
	const plane = pixels.length / 3;
	return pixels.map((_, at) => pixels[(at % plane) * 3 + Math.floor(at / plane)] ?? 0);
}

/** [3, S, S] to [S, S, 3]. */
export function toPixels(planes: Float32Array): Float32Array {
	const plane = planes.length / 3;
	return planes.map((_, at) => planes[(at % 3) * plane + Math.floor(at / 3)] ?? 0);
}
