// Where the energy of a small picture lies among the frequencies.

/** Points of the grid of frequencies per point of the picture: the peak is between two of them, and found there. */
const finer = 4;

/** A wave, in cycles per pixel: towards the right, and towards the bottom. */
export interface Wave {
	readonly across: number;
	readonly down: number;
}

/**
 * The wave at which the power spectrum is highest.
 *
 * @param values [size, size], of mean 0
 */
export function spectralPeak(values: Float64Array, size: number): Wave {
	const points = finer * size;
	const step = 1 / points;
	const [cosines, sines] = [Math.cos, Math.sin].map((of) =>
		Float64Array.from({length: points}, (_, index) => of(2 * Math.PI * step * index)),
	) as [Float64Array, Float64Array];
	let best = {power: -1, across: 0, down: 0};
	// A wave and the one against it are the same: half of the plane is enough.
	for (let across = 0; across <= points / 2; ++across) {
		const rows = rowSums(values, size, (x) => (across * x) % points, {cosines, sines});
		for (let down = 0; down < points; ++down) {
			let real = 0;
			let imaginary = 0;
			for (let y = 0; y < size; ++y) {
				const turn = (down * y) % points;
				const cosine = cosines[turn] ?? 0;
				const sine = sines[turn] ?? 0;
				const rowReal = rows.real[y] ?? 0;
				const rowImaginary = rows.imaginary[y] ?? 0;
				real += rowReal * cosine - rowImaginary * sine;
				imaginary += rowReal * sine + rowImaginary * cosine;
			}
			const power = real ** 2 + imaginary ** 2;
			if (power > best.power) best = {power, across, down};
		}
	}
	const wave = {across: best.across * step, down: (best.down > points / 2 ? best.down - points : best.down) * step};
	return refined(values, size, wave, step);
}

function rowSums(
	values: Float64Array,
	size: number,
	turnOf: (x: number) => number,
	{cosines, sines}: {cosines: Float64Array; sines: Float64Array},
): {real: Float64Array; imaginary: Float64Array} {
	const sums = {real: new Float64Array(size), imaginary: new Float64Array(size)};
	for (let x = 0; x < size; ++x) {
		const turn = turnOf(x);
		const [cosine = 0, sine = 0] = [cosines[turn], sines[turn]];
		for (let y = 0; y < size; ++y) {
			const value = values[y * size + x] ?? 0;
			sums.real[y] = (sums.real[y] ?? 0) + value * cosine;
			sums.imaginary[y] = (sums.imaginary[y] ?? 0) + value * sine;
		}
	}
	return sums;
}

/** The top of a parabola through the logarithms of the powers around, which is exact for waves that fade as Gabor's do. */
function refined(values: Float64Array, size: number, {across, down}: Wave, step: number): Wave {
	const at = (right: number, below: number): number =>
		Math.log(powerAt(values, size, {across: across + right * step, down: down + below * step}) + Number.MIN_VALUE);
	const top = (before: number, here: number, after: number): number => {
		const bend = before - 2 * here + after;
		return bend < 0 ? Math.max(-1, Math.min(1, (before - after) / 2 / bend)) : 0;
	};
	const here = at(0, 0);
	return {
		across: across + step * top(at(-1, 0), here, at(1, 0)),
		down: down + step * top(at(0, -1), here, at(0, 1)),
	};
}

function powerAt(values: Float64Array, size: number, {across, down}: Wave): number {
	let real = 0;
	let imaginary = 0;
	for (let y = 0; y < size; ++y) {
		for (let x = 0; x < size; ++x) {
			const angle = 2 * Math.PI * (across * x + down * y);
			const value = values[y * size + x] ?? 0;
			real += value * Math.cos(angle);
			imaginary += value * Math.sin(angle);
		}
	}
	return real ** 2 + imaginary ** 2;
}
