// Short side to 256 and the centre square, against the definition in double precision.
import test from 'ava';
import {decodePicture} from '../../lib/data/decode.ts';
import {blocks, largestDifference, painted, type Paint, type Rgb} from '../helpers/pictures.ts';

const side = 256;

function catmullRom(x: number): number {
	const t = Math.abs(x);
	if (t < 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
	return t < 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
}

interface Tap {
	readonly at: number;
	readonly weight: number;
}

/**
 * What each of the `side` output pixels of one axis reads. The axis is scaled about its centre to length / scale; the
 * crop begins on a whole pixel of that length rounded, half a pixel right of the centre where it is odd. libvips
 * enlarges about a point half an output pixel off.
 */
function axisTaps(length: number, scale: number): Tap[][] {
	const exact = length / scale;
	const rounded = Math.round(exact);
	const start = (exact - rounded) / 2 + Math.floor((rounded - side + 1) / 2) - (scale < 1 ? 0.5 : 0);
	const width = Math.max(1, scale);
	return Array.from({length: side}, (_, output) => {
		const centre = (output + start + 0.5) * scale - 0.5;
		const taps: Tap[] = [];
		for (let at = Math.ceil(centre - 2 * width); at <= centre + 2 * width; at++) {
			taps.push({at: Math.min(length - 1, Math.max(0, at)), weight: catmullRom((at - centre) / width)});
		}
		const sum = taps.reduce((total, {weight}) => total + weight, 0);
		return taps.map(({at, weight}) => ({at, weight: weight / sum}));
	});
}

function clip(value: number): number {
	return Math.min(255, Math.max(0, value));
}

/** Rows first, then columns; libvips clips what overshoots after each where it shrinks, at the end where it enlarges. */
function expectedPixels(width: number, height: number, paint: Paint): Float64Array {
	const scale = Math.min(width, height) / side;
	const between = scale > 1 ? clip : (value: number) => value;
	const rows = new Float64Array(side * width * 3); // [S, width, 3]
	axisTaps(height, scale).forEach((taps, y) => {
		for (let x = 0; x < width; x++) {
			for (const {at, weight} of taps) {
				paint(x, at).forEach((value, c) => (rows[(y * width + x) * 3 + c]! += weight * value));
			}
		}
	});
	const clipped = rows.map(between);
	const pixels = new Float64Array(side * side * 3);
	axisTaps(width, scale).forEach((taps, x) => {
		for (const {at, weight} of taps) {
			for (let y = 0; y < side; y++) {
				for (let c = 0; c < 3; c++) pixels[(y * side + x) * 3 + c]! += weight * clipped[(y * width + at) * 3 + c]!;
			}
		}
	});
	return pixels.map(clip);
}

const waves: Paint = (x, y) => {
	const values = [Math.sin(x / 13), Math.cos(y / 17), Math.sin((x + y) / 20)];
	return values.map((value) => Math.round(128 + 100 * value)) as unknown as Rgb;
};

// Each axis rounds to whole numbers once, and the second passes the first's half on by its sum of |weights| (1.25):
// 1.125. libvips rounds the place of a window to the nearest 1/64 of a source pixel, on both axes: another 2/128 of the
// slope, which is at most 8 a pixel in the waves and 255 in the blocks.
const rounding = 1.125;
const wavesBound = rounding + (2 * 8) / 128;
const blocksBound = rounding + (2 * 255) / 128;

const sizes: readonly (readonly [number, number])[] = [
	[640, 400],
	[400, 640],
	[500, 375],
	[375, 500],
	[257, 256],
	[300, 900],
	[901, 653],
	[256, 256],
	[64, 64],
	[100, 80],
];
for (const [width, height] of sizes) {
	test(`${width} x ${height} scales and crops as defined`, async (t) => {
		const waving = await painted(width, height, waves).png().toBuffer();
		const difference = largestDifference(await decodePicture(waving), expectedPixels(width, height, waves));
		t.true(difference <= wavesBound, `waves differ by ${difference}`);

		const paint = blocks(40, width + height);
		const chequered = await painted(width, height, paint).png().toBuffer();
		const blocksDifference = largestDifference(await decodePicture(chequered), expectedPixels(width, height, paint));
		t.true(blocksDifference <= blocksBound, `blocks differ by ${blocksDifference}`);
	});
}

test('a large JPEG, shrunk while it is read, keeps its place', async (t) => {
	const [width, height] = [2400, 1803];
	const block = 300;
	const paint = blocks(block, 9);
	const jpeg = await painted(width, height, paint).jpeg({quality: 95, chromaSubsampling: '4:4:4'}).toBuffer();
	const pixels = await decodePicture(jpeg);
	const scale = height / side;
	const margin = 3 * scale; // The kernel reaches two output pixels, the crop and the shrinking may be one off.
	let inside = 0;
	let largest = 0;
	for (let y = 0; y < side; y++) {
		for (let x = 0; x < side; x++) {
			const source = [(x + 0.5) * scale + (width - height) / 2, (y + 0.5) * scale] as const;
			if (source.some((at) => at % block < margin || at % block > block - margin)) continue;
			inside++;
			const colour = paint(source[0], source[1]);
			const index = (y * side + x) * 3;
			largest = Math.max(largest, largestDifference(pixels.subarray(index, index + 3), colour));
		}
	}
	t.true(inside > (side * side) / 2, `${inside} pixels lie inside blocks`);
	// Constant 8 x 8 blocks survive JPEG up to rounding of their colours in YCbCr.
	t.true(largest <= 3, `differs by ${largest}`);
});

test('another side is honoured', async (t) => {
	const picture = await painted(90, 60, () => [10, 200, 90])
		.png()
		.toBuffer();
	const pixels = await decodePicture(picture, 32);
	t.is(pixels.length, 32 * 32 * 3);
	t.deepEqual([...pixels.subarray(0, 3)], [10, 200, 90]);
	await t.throwsAsync(decodePicture(picture, 0), {code: 'ALEXNET_ARGUMENT'});
});

test('thin and tiny pictures fill the square', async (t) => {
	for (const [width, height] of [
		[1, 1],
		[1, 3000],
		[7, 20_000],
		[3000, 2],
	] as const) {
		const pixels = await decodePicture(
			await painted(width, height, () => [255, 136, 3])
				.png()
				.toBuffer(),
		);
		t.true(
			pixels.every((value, i) => value === [255, 136, 3][i % 3]),
			`${width} x ${height}`,
		);
	}
});
