// Philox 4x32-10 (Salmon et al., 2011) and what is drawn from it, written again from the paper's definition.

type Words = readonly [number, number, number, number];

/** The upper 32 bits of a * b: partial products of 48 bits are exact in a double. */
function highWord(a: number, b: number): number {
	const upper = (a >>> 16) * b;
	const lower = (a & 0xffff) * b;
	return Math.floor((upper + Math.floor(lower / 65_536)) / 65_536) >>> 0;
}

const lowWord = (a: number, b: number): number => Math.imul(a, b) >>> 0;

export function philox(seed: bigint, counter: Words): Words {
	let key0 = Number(seed & 0xffff_ffffn);
	let key1 = Number(seed >> 32n);
	let [c0, c1, c2, c3] = counter;
	for (let round = 0; round < 10; round++) {
		const next0 = (highWord(0xcd9e8d57, c2) ^ c1 ^ key0) >>> 0;
		const next1 = lowWord(0xcd9e8d57, c2);
		const next2 = (highWord(0xd2511f53, c0) ^ c3 ^ key1) >>> 0;
		const next3 = lowWord(0xd2511f53, c0);
		[c0, c1, c2, c3] = [next0, next1, next2, next3];
		key0 = (key0 + 0x9e3779b9) >>> 0;
		key1 = (key1 + 0xbb67ae85) >>> 0;
	}
	return [c0, c1, c2, c3];
}

/** Word 3 of the counter: what a draw is for (core/random.h). */
const weights = 1;
const dropout = 2;

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
		const words = philox(draw.seed, [Math.floor(index / 4), draw.step, draw.layer, dropout]);
		return words[index % 4]! >= threshold;
	});
}

/** The first draws of a normal stream and, for each, the radius of its pair (Box-Muller). */
export function normalDraws(length: number, seed: bigint, stream: number): {draws: Float64Array; radii: Float64Array} {
	const draws = new Float64Array(length);
	const radii = new Float64Array(length);
	for (let i = 0; i < length; i++) {
		const pair = Math.floor(i / 2);
		const words = philox(seed, [pair >>> 0, Math.floor(pair / 2 ** 32), stream, weights]);
		const angle = 2 * Math.PI * ((words[1] + 0.5) / 2 ** 32);
		radii[i] = Math.sqrt(-2 * Math.log((words[0] + 0.5) / 2 ** 32));
		draws[i] = radii[i]! * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
	}
	return {draws, radii};
}
