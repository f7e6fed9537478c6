// Counter-based random numbers on the host, the same Philox 4x32-10 as core/random.h: a draw depends on its counter
// alone, so that crops do not depend on the order of batches, nor a resumed run on where it stopped.
import {breather} from './breather.ts';
import {integer, option, type Option} from './check.ts';

/** The option that begins all draws of a kind. */
export const seed = (help: string): Option<number> => option(integer(0), help, 0);

/** What a stream is for: word 3 of the counter. Mirrors `Draw` in core/random.h. */
export const draws = {weights: 1, dropout: 2, views: 3, shuffle: 4} as const;

type Words = [number, number, number, number];

/** The upper half of the product of two whole numbers below 2^32. No sum here reaches 2^32 before the last. */
function multiplyHigh(a: number, b: number): number {
	const aLow = a & 0xffff;
	const aHigh = a >>> 16;
	const bLow = b & 0xffff;
	const bHigh = b >>> 16;
	const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
	const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
	return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** The lower and the upper 32 bits of a seed. Numbers take a tenth of the time of a BigInt. */
function halves(seed: number | bigint): [number, number] {
	if (typeof seed === 'number') return [seed >>> 0, Math.floor(seed / 0x100000000)];
	return [Number(BigInt.asUintN(32, seed)), Number(BigInt.asUintN(32, seed >> 32n))];
}

/**
 * Four 32-bit words for a counter of four 32-bit words. Written without lists of variables, which took ten times as long.
 *
 * @param seed an integer of 64 bits, as a number below 2^53
 */
export function philox(seed: number | bigint, counter: Readonly<Words>): Words {
	let [x, y, z, w] = counter;
	let [key0, key1] = halves(seed);
	for (let round = 0; round < 10; ++round) {
		const high0 = multiplyHigh(0xd2511f53, x);
		const high1 = multiplyHigh(0xcd9e8d57, z);
		const low0 = Math.imul(0xd2511f53, x) >>> 0;
		x = (high1 ^ y ^ key0) >>> 0;
		y = Math.imul(0xcd9e8d57, z) >>> 0;
		z = (high0 ^ w ^ key1) >>> 0;
		w = low0;
		key0 = (key0 + 0x9e3779b9) >>> 0;
		key1 = (key1 + 0xbb67ae85) >>> 0;
	}
	return [x, y, z, w];
}

/** Uniform in 0 .. below - 1, from one word. */
export function uniformInteger(word: number, below: number): number {
	return Math.floor((word / 0x100000000) * below);
}

/** Two independent standard normals from two words (Box-Muller). */
export function normals(first: number, second: number): [number, number] {
	const radius = Math.sqrt(-2 * Math.log((first + 0.5) / 0x100000000));
	const angle = (2 * Math.PI * (second + 0.5)) / 0x100000000;
	return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** A step of Fisher-Yates, from the last place to the second: one of the numbers up to `last` comes there, as a word says. */
export function drawLast(numbers: Int32Array | number[], last: number, word: number): void {
	const other = uniformInteger(word, last + 1);
	const value = numbers[last] ?? 0;
	numbers[last] = numbers[other] ?? 0;
	numbers[other] = value;
}

/** 0 .. count - 1 in an order that depends on (seed, epoch) alone (Fisher-Yates). The event loop turns meanwhile. */
export async function shuffled(count: number, seed: number, epoch: number): Promise<Int32Array> {
	const order = new Int32Array(count);
	for (let index = 0; index < count; ++index) order[index] = index; // Int32Array.from() takes ten times as long
	const breathe = breather();
	for (let last = count - 1; last > 0; --last) {
		drawLast(order, last, philox(seed, [last, epoch, 0, draws.shuffle])[0]);
		if (last % 1024 === 0) await breathe();
	}
	return order;
}
