// What devices draw from Philox 4x32-10 (core/random.h): dropout masks and initial weights.
import {draws as streams, philox} from '../../base/random.ts';
import {Sums} from '../tolerance.ts';

export interface DropoutDraw {
	rate: number;
	seed: bigint;
	step: number;
	layer: number;
	features: number;
	offset: number;
}

/** Which elements of [N, C] live: the word of element n * features + offset + c is at least rate * 2^32. */
export function dropoutMask(images: number, width: number, draw: DropoutDraw): boolean[] {
	const threshold = Math.floor(Math.fround(draw.rate) * 2 ** 32);
	return Array.from({length: images * width}, (_, i) => {
		const index = Math.floor(i / width) * draw.features + draw.offset + (i % width);
		const words = philox(draw.seed, [Math.floor(index / 4), draw.step, draw.layer, streams.dropout]);
		return words[index % 4]! >= threshold;
	});
}

/** output = input * mask / (1 - rate). Three roundings: of 1 - rate, of its reciprocal and of the product. */
export function dropout(input: Float64Array, mask: readonly boolean[], rate: number): Sums {
	const output = new Sums(input.length);
	input.forEach((x, i) => {
		if (mask[i]) output.add(i, x / (1 - Math.fround(rate)));
	});
	return output;
}
export const dropoutRoundings = 3;

/** The first draws of a normal stream and, for each, the radius of its pair (Box-Muller). */
function normalDraws(length: number, seed: bigint, stream: number): {draws: Float64Array; radii: Float64Array} {
	const draws = new Float64Array(length);
	const radii = new Float64Array(length);
	for (let i = 0; i < length; i++) {
		const pair = Math.floor(i / 2);
		const words = philox(seed, [pair >>> 0, Math.floor(pair / 2 ** 32), stream, streams.weights]);
		const angle = 2 * Math.PI * ((words[1] + 0.5) / 2 ** 32);
		radii[i] = Math.sqrt(-2 * Math.log((words[0] + 0.5) / 2 ** 32));
		draws[i] = radii[i]! * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
	}
	return {draws, radii};
}

/**
 * deviation * the first draws of a normal stream. Two roundings to fp32, of the draw and of the product. Sine and cosine
 * are of a double angle, so near their zeros they are off by 2^-50 of the radius: a hundredth of a rounding is ample.
 */
export function normal(length: number, seed: bigint, stream: number, deviation: number): Sums {
	const {draws, radii} = normalDraws(length, seed, stream);
	const output = new Sums(length);
	draws.forEach((draw, i) => output.add(i, Math.fround(deviation) * draw));
	radii.forEach((radius, i) => (output.terms[i]! += 2 ** -20 * deviation * radius));
	return output;
}
export const normalRoundings = 2;
