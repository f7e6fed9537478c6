import test from 'ava';
import sharp, {type Sharp} from 'sharp';
import {decodePicture} from '../../lib/data/decode.ts';
import {isCutShort, pictureFormat} from '../../lib/data/truncation.ts';
import {painted, paintedBytes, randomColour, randomNumbers} from '../helpers/pictures.ts';

// Portrait: the centre crop does not need the last rows, so that a decoder alone would not miss them.
const [width, height] = [260, 700];

function noise(): Sharp {
	const random = randomNumbers(7);
	return painted(width, height, () => randomColour(random));
}

function animation(): Sharp {
	const random = randomNumbers(8);
	const bytes = paintedBytes(width, height * 2, () => randomColour(random));
	return sharp(bytes, {raw: {width, height: height * 2, channels: 3, pageHeight: height}});
}

/** A JPEG whose EXIF data holds a whole small JPEG, end marker and all. */
async function withThumbnail(jpeg: Buffer): Promise<Buffer> {
	const thumbnail = await painted(16, 16, (x, y) => [x * 9, y * 9, 0])
		.jpeg()
		.toBuffer();
	const header = Buffer.from([0xff, 0xe1, 0, 0]);
	header.writeUInt16BE(thumbnail.length + 2, 2);
	return Buffer.concat([jpeg.subarray(0, 2), header, thumbnail, jpeg.subarray(2)]);
}

const pictures: Record<string, () => Promise<Buffer>> = {
	JPEG: () => noise().jpeg().toBuffer(),
	'progressive JPEG': () => noise().jpeg({progressive: true}).toBuffer(),
	'JPEG with a thumbnail': async () => withThumbnail(await noise().jpeg().toBuffer()),
	PNG: () => noise().png().toBuffer(),
	'interlaced PNG': () => noise().png({progressive: true}).toBuffer(),
	WebP: () => noise().webp().toBuffer(),
	'lossless WebP': () => noise().webp({lossless: true}).toBuffer(),
	GIF: () => noise().gif().toBuffer(),
	'animated GIF': () => animation().gif().toBuffer(),
	'animated WebP': () => animation().webp().toBuffer(),
};

for (const [name, encode] of Object.entries(pictures)) {
	test(`${name}: a cut is seen wherever it falls`, async (t) => {
		const whole = await encode();
		const format = pictureFormat(whole)!;
		t.true(name.toLowerCase().includes(format.toLowerCase()));
		t.false(isCutShort(whole, format));
		t.is((await decodePicture(whole)).length, 256 * 256 * 3);
		const random = randomNumbers(whole.length);
		const cuts = [16, 40, 400, whole.length - 1, whole.length - 2, whole.length - 12];
		for (let i = 0; i < 50; i++) cuts.push(16 + Math.floor(random() * (whole.length - 16)));
		for (const cut of cuts) {
			const part = whole.subarray(0, Math.min(cut, whole.length - 1));
			t.true(isCutShort(part, format), `cut after ${part.length} of ${whole.length} bytes`);
		}
		const half = whole.subarray(0, Math.floor(whole.length * 0.9));
		await t.throwsAsync(decodePicture(half), {code: 'ALEXNET_PICTURE', message: /data is cut short after \d+ bytes/});
	});

	test(`${name}: bytes after the end are harmless`, async (t) => {
		const whole = await encode();
		const longer = Buffer.concat([whole, Buffer.from('trailing bytes'), Buffer.alloc(999)]);
		t.deepEqual(await decodePicture(longer), await decodePicture(whole));
	});
}

/** Other data each time. */
function freshNoise(): Sharp {
	const random = randomNumbers(Math.floor(Math.random() * 2 ** 32));
	return painted(width, height, () => randomColour(random));
}

test('a JPEG without its end marker is read where all its data is there', async (t) => {
	const whole = await freshNoise().jpeg().toBuffer();
	const expected = await decodePicture(whole);
	t.deepEqual(await decodePicture(whole.subarray(0, -2)), expected);
	t.deepEqual(await decodePicture(whole.subarray(0, -1)), expected, 'nor with half of it');
	const refused = {code: 'ALEXNET_PICTURE', message: /the JPEG data is cut short after \d+ bytes/};
	for (const missing of [3, 4, 5, 20]) {
		await t.throwsAsync(decodePicture(whole.subarray(0, -missing)), refused, `${missing} bytes are missing`);
	}
	const zeros = Buffer.concat([whole.subarray(0, whole.length * 0.8), Buffer.alloc(whole.length * 0.2)]);
	await t.throwsAsync(decodePicture(zeros), refused, 'its tail was never written');
});

test('a progressive JPEG without its end marker is refused: scans may be missing', async (t) => {
	const whole = await freshNoise().jpeg({progressive: true}).toBuffer();
	const lastScan = whole.lastIndexOf('\xff\xda', undefined, 'latin1');
	for (const end of [whole.length - 2, lastScan]) {
		await t.throwsAsync(decodePicture(whole.subarray(0, end)), {code: 'ALEXNET_PICTURE', message: /is cut short/});
	}
});

test('a cut TIFF is refused', async (t) => {
	const whole = await noise().tiff({compression: 'lzw'}).toBuffer();
	await t.throwsAsync(decodePicture(whole.subarray(0, whole.length >> 1)), {code: 'ALEXNET_PICTURE'});
});

test('damaged data is refused or decoded, never an error of another kind', async (t) => {
	for (const encode of Object.values(pictures)) {
		const whole = await encode();
		const random = randomNumbers(whole.length);
		for (let trial = 0; trial < 8; trial++) {
			const damaged = Buffer.from(whole);
			for (let i = 0; i < 20; i++) damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
			try {
				t.is((await decodePicture(damaged)).length, 256 * 256 * 3);
			} catch (error) {
				t.like(error, {code: 'ALEXNET_PICTURE'});
			}
		}
	}
});

test('the format is told by the signature alone', (t) => {
	t.is(pictureFormat(Buffer.from('BM and so on, a bitmap')), undefined);
	t.is(pictureFormat(Buffer.from('GIF')), undefined);
	t.is(pictureFormat(new Uint8Array(0)), undefined);
	t.is(pictureFormat(Buffer.from('RIFF1234WAVE')), undefined);
});
