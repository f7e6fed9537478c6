// Pictures made fresh for each test, in a folder that goes when the test ends.
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import type {ExecutionContext} from 'ava';
import sharp, {type Sharp} from 'sharp';

export type Rgb = readonly [number, number, number];
/** The colour of the pixel in column x, row y. */
export type Paint = (x: number, y: number) => Rgb;

export async function temporaryFolder(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	return folder;
}

export function paintedBytes(width: number, height: number, paint: Paint): Uint8Array {
	const bytes = new Uint8Array(width * height * 3);
	for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) bytes.set(paint(x, y), (y * width + x) * 3);
	return bytes;
}

/** A sharp image [height, width, 3], to be encoded as the test likes. */
export function painted(width: number, height: number, paint: Paint): Sharp {
	return sharp(paintedBytes(width, height, paint), {raw: {width, height, channels: 3}});
}

/** Numbers in [0, 1) by a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

export function randomColour(random: () => number): Rgb {
	return [Math.floor(random() * 256), Math.floor(random() * 256), Math.floor(random() * 256)];
}

/** Squares of constant random colours. */
export function blocks(side: number, seed: number): Paint {
	const colours = new Map<string, Rgb>();
	const random = randomNumbers(seed);
	return (x, y) => {
		const key = `${Math.floor(x / side)},${Math.floor(y / side)}`;
		const colour = colours.get(key) ?? randomColour(random);
		colours.set(key, colour);
		return colour;
	};
}

/** Writes files by their path below the folder, making the folders between. */
export async function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
	for (const [path, content] of Object.entries(files)) {
		await mkdir(dirname(join(folder, path)), {recursive: true});
		await writeFile(join(folder, path), content);
	}
}

/** A PNG of one colour, small and quick. */
export async function plainPicture(colour: Rgb, side = 8): Promise<Buffer> {
	return painted(side, side, () => colour)
		.png()
		.toBuffer();
}

/** A picture [S, S, 3] in double precision, for comparison with what is decoded: the largest difference of any value. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
	if (actual.length !== expected.length) return Infinity;
	let largest = 0;
	for (let i = 0; i < actual.length; i++)
		largest = Math.max(largest, Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)));
	return largest;
}
