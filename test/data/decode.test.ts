import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp, {type Sharp} from 'sharp';
import {decodePicture} from '../../lib/data/decode.ts';
import {
	blocks,
	largestDifference,
	painted,
	paintedBytes,
	randomNumbers,
	temporaryFolder,
	type Paint,
	type Rgb,
} from '../helpers/pictures.ts';

const side = 256;
const paint = blocks(64, 1);
const square = (): Sharp => painted(side, side, paint);
const expected = paintedBytes(side, side, paint);

function meanDifference(actual: Uint8Array, wanted: ArrayLike<number>): number {
	return actual.reduce((sum, value, i) => sum + Math.abs(value - wanted[i]!), 0) / actual.length;
}

function pixelAt(pixels: Uint8Array, x: number, y: number): number[] {
	return [...pixels.subarray((y * side + x) * 3, (y * side + x) * 3 + 3)];
}

const lossless = {
	PNG: () => square().png(),
	'interlaced PNG': () => square().png({progressive: true}),
	'palette PNG': () => square().png({palette: true, dither: 0}),
	WebP: () => square().webp({lossless: true}),
	GIF: () => square().gif({dither: 0}),
	'TIFF (LZW)': () => square().tiff({compression: 'lzw'}),
	'TIFF (plain)': () => square().tiff({compression: 'none'}),
};
for (const [name, encode] of Object.entries(lossless)) {
	test(`${name} decodes exactly`, async (t) => {
		t.is(largestDifference(await decodePicture(await encode().toBuffer()), expected), 0);
	});
}

const lossy = {
	JPEG: () => square().jpeg({quality: 95}),
	'progressive JPEG': () => square().jpeg({quality: 95, progressive: true}),
	'lossy WebP': () => square().webp({quality: 95}),
	'JPEG in TIFF': () => square().tiff({compression: 'jpeg', quality: 95}),
};
for (const [name, encode] of Object.entries(lossy)) {
	test(`${name} decodes closely`, async (t) => {
		const pixels = await decodePicture(await encode().toBuffer());
		t.is(pixels.length, expected.length);
		const difference = meanDifference(pixels, expected);
		t.true(difference < 2, `differs by ${difference} on average`);
	});
}

test('a path and its bytes give the same', async (t) => {
	const folder = await temporaryFolder(t);
	const bytes = await painted(300, 200, paint).jpeg().toBuffer();
	await writeFile(join(folder, 'a.jpg'), bytes);
	t.deepEqual(await decodePicture(join(folder, 'a.jpg')), await decodePicture(new Uint8Array(bytes)));
});

test('CMYK becomes RGB', async (t) => {
	const halves: Paint = (x) => (x < side / 2 ? [255, 255, 255] : [0, 0, 0]);
	const cmyk = await painted(side, side, halves).toColourspace('cmyk').jpeg({quality: 100}).toBuffer();
	t.is((await sharp(cmyk).metadata()).space, 'cmyk');
	const pixels = await decodePicture(cmyk);
	t.is(pixels.length, expected.length);
	t.true(
		pixelAt(pixels, 40, 100).every((value) => value > 250),
		'white stays white',
	);
	t.true(
		pixelAt(pixels, 200, 100).every((value) => value < 60),
		'black stays dark',
	);
});

test('grey becomes three equal channels', async (t) => {
	const grey = await painted(side, side, (x) => [x, x, x])
		.toColourspace('b-w')
		.png()
		.toBuffer();
	t.is((await sharp(grey).metadata()).channels, 1);
	const pixels = await decodePicture(grey);
	t.is(
		largestDifference(
			pixels,
			paintedBytes(side, side, (x) => [x, x, x]),
		),
		0,
	);
});

test('transparency lies on white, with colour and without', async (t) => {
	const random = randomNumbers(3);
	const alphas = Array.from({length: 8}, () => Math.floor(random() * 256));
	for (const channels of [2, 4] as const) {
		const raw = new Uint8Array(side * side * channels).fill(0xff);
		for (let i = 0; i < side * side; i++) {
			raw.fill(80, i * channels, (i + 1) * channels - 1);
			raw[(i + 1) * channels - 1] = alphas[Math.floor((i % side) / 32)]!;
		}
		const image = sharp(raw, {raw: {width: side, height: side, channels}});
		const png = await (channels === 2 ? image.toColourspace('b-w') : image).png().toBuffer();
		t.is((await sharp(png).metadata()).channels, channels);
		const pixels = await decodePicture(png);
		alphas.forEach((alpha, i) => {
			const blend = 255 + (80 - 255) * (alpha / 255);
			const difference = largestDifference(pixelAt(pixels, i * 32 + 16, 100), [blend, blend, blend]);
			t.true(difference <= 1, `alpha ${alpha}: ${difference}`);
		});
	}
});

test('16 bits a channel become 8', async (t) => {
	const raw = new Uint16Array(side * side * 3).map((_, i) => (i % (side * 3)) * 85);
	const png = await sharp(raw, {raw: {width: side, height: side, channels: 3}})
		.toColourspace('rgb16')
		.png()
		.toBuffer();
	t.is((await sharp(png).metadata()).depth, 'ushort');
	const difference = largestDifference(
		await decodePicture(png),
		raw.map((value) => Math.floor(value / 256)),
	);
	t.true(difference <= 1, `differs by ${difference}`);
});

/** The upright pixel that a stored one shows, from the EXIF definition: the sides where row 0 and column 0 lie. */
const uprightPlace: readonly ((x: number, y: number, width: number, height: number) => [number, number])[] = [
	(x, y) => [x, y], // 1: top, left
	(x, y, width) => [width - 1 - x, y], // 2: top, right
	(x, y, width, height) => [width - 1 - x, height - 1 - y], // 3: bottom, right
	(x, y, _, height) => [x, height - 1 - y], // 4: bottom, left
	(x, y) => [y, x], // 5: left, top
	(x, y, width) => [width - 1 - y, x], // 6: right, top
	(x, y, width, height) => [width - 1 - y, height - 1 - x], // 7: right, bottom
	(x, y, _, height) => [y, height - 1 - x], // 8: left, bottom
];
for (const format of ['jpeg', 'png', 'webp', 'tiff'] as const) {
	test(`orientations 1 to 8 in ${format} are applied`, async (t) => {
		const [width, height] = [320, 256];
		const upright = blocks(32, 5); // Every block another colour: no symmetry.
		const wanted = paintedBytes(side, side, (x, y) => upright(x + 32, y));
		for (const [i, place] of uprightPlace.entries()) {
			const stored: [number, number] = i < 4 ? [width, height] : [height, width];
			const image = painted(...stored, (x, y) => upright(...place(x, y, width, height)));
			const bytes = await image
				.withMetadata({orientation: i + 1})
				.toFormat(format, {quality: 100, lossless: true, chromaSubsampling: '4:4:4'})
				.toBuffer();
			t.is((await sharp(bytes).metadata()).orientation, i + 1);
			const difference = meanDifference(await decodePicture(bytes), wanted);
			t.true(difference < 1.5, `orientation ${i + 1} differs by ${difference} on average`);
		}
	});
}

test('of an animation and of several pages the first counts', async (t) => {
	const frames: Rgb[] = [
		[250, 10, 10],
		[10, 250, 10],
		[10, 10, 250],
	];
	const height = 300;
	const strip = (): Sharp =>
		sharp(
			paintedBytes(280, height * 3, (_, y) => frames[Math.floor(y / height)]!),
			{raw: {width: 280, height: height * 3, channels: 3, pageHeight: height}},
		);
	for (const encoded of [strip().gif(), strip().webp({lossless: true}), strip().tiff({compression: 'lzw'})]) {
		const bytes = await encoded.toBuffer();
		t.is((await sharp(bytes).metadata()).pages, 3);
		const pixels = await decodePicture(bytes);
		t.deepEqual(pixelAt(pixels, 5, 5), [...frames[0]!]);
		t.deepEqual(pixelAt(pixels, 250, 250), [...frames[0]!]);
	}
});
