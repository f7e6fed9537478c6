// What a picture can be given as, and how everything else is refused.
import {Readable} from 'node:stream';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import vm from 'node:vm';
import test from 'ava';
import sharp from 'sharp';
import {decodePicture} from '../../lib/data/decode.ts';
import type {PictureInput} from '../../lib/data/picture-input.ts';
import {blocks, painted, paintedBytes, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const seed = Math.floor(Math.random() * 2 ** 32);
const [width, height] = [90, 70];
const paint = blocks(16, seed);

test('a path, a file: URL, bytes of every kind and a Blob give the same', async (t) => {
	const png = await painted(width, height, paint).png().toBuffer();
	const folder = await temporaryFolder(t);
	await writeFiles(folder, {'a picture #1.png': png});
	const path = join(folder, 'a picture #1.png');
	const bytes = Uint8Array.from(png);
	const shared = new Uint8Array(new SharedArrayBuffer(png.length));
	shared.set(png);
	const inputs: Record<string, PictureInput> = {
		URL: pathToFileURL(path),
		Buffer: png,
		Uint8Array: bytes,
		'part of a buffer': Buffer.concat([Buffer.alloc(3), png, Buffer.alloc(5)]).subarray(3, 3 + png.length),
		'shared memory': shared,
		ArrayBuffer: bytes.buffer,
		Blob: new Blob([bytes]),
		'of another realm': vm.runInNewContext('Uint8Array.from(bytes)', {bytes}) as Uint8Array,
	};
	const expected = await decodePicture(path, 64);
	for (const [name, input] of Object.entries(inputs)) t.deepEqual(await decodePicture(input, 64), expected, name);
});

test('raw pixels are scaled as those of a file are', async (t) => {
	const rgb = paintedBytes(width, height, paint);
	const png = (channels: 1 | 3 | 4, data: Uint8Array): Promise<Buffer> =>
		sharp(data, {raw: {width, height, channels}}).png().toBuffer();
	const grey = Uint8Array.from({length: width * height}, (_, i) => rgb[3 * i]!);
	const rgba = Uint8Array.from({length: width * height * 4}, (_, i) =>
		i % 4 === 3 ? (i * 7) % 256 : rgb[Math.floor(i / 4) * 3 + (i % 4)]!,
	);
	for (const [channels, data] of [
		[1, grey],
		[3, rgb],
		[4, rgba],
	] as const) {
		const expected = await decodePicture(await png(channels, data), 64);
		t.deepEqual(await decodePicture({data, width, height, channels}, 64), expected, `${channels} channels`);
	}
	/** As a canvas gives it: accessors of a class. */
	class ImageData {
		readonly #data = Uint8ClampedArray.from(rgba);
		readonly colorSpace = 'srgb';
		get data(): Uint8ClampedArray {
			return this.#data;
		}
		get width(): number {
			return width;
		}
		get height(): number {
			return height;
		}
	}
	t.deepEqual(await decodePicture(new ImageData(), 64), await decodePicture(await png(4, rgba), 64));
});

const pixels = new Uint8Array(12);
const refused: Readonly<Record<string, {input: unknown; message: RegExp; code?: string}>> = {
	nothing: {input: undefined, message: /^A picture must be a file's path .*, got undefined\.$/},
	null: {input: null, message: /got null/},
	'a number': {input: 7, message: /got 7\.$/},
	'a stream': {input: Readable.from([]), message: /got a Readable/},
	'a promise': {input: Promise.resolve('x.png'), message: /got a Promise/},
	'other typed arrays': {input: new Float32Array(12), message: /got a Float32Array of 12/},
	'other pixels': {input: {data: new Float32Array(12), width: 2, height: 2, channels: 3}, message: /got an Object/},
	'a web address': {
		input: new URL('https://example.org/cat.jpg'),
		message: /got a URL that begins with https:.* bytes/,
	},
	'a web address as text': {
		input: 'https://example.org/cat.jpg',
		message: /a string that begins with 'https:\/\/'.* bytes/,
	},
	'a file: URL as text': {input: 'file:///cat.jpg', message: /Pass new URL/},
	'a file: URL of another machine': {input: new URL('file://other/cat.jpg'), message: /must name a file here/},
	'a data: URL': {input: `data:image/png;base64,${'QUJD'.repeat(1000)}`, message: /a string that begins with 'data:'/},
	'a data: URL object': {input: new URL(`data:image/png;base64,${'QUJD'.repeat(1000)}`), message: /begins with data:/},
	'zero bytes': {input: `\x89PNG\0${'QUJD'.repeat(1000)}`, message: /a string with zero bytes/},
	'too few pixels': {
		input: {data: pixels, width: 2, height: 3, channels: 3},
		message: /data of height x width x channels = 3 x 2 x 3 must have 18 values, got 12/,
		code: 'ALEXNET_SHAPE',
	},
	'too many pixels': {input: {data: pixels, width: 2, height: 1}, message: /must have 8 values/, code: 'ALEXNET_SHAPE'},
	'no width': {input: {data: pixels, height: 1}, message: /width must be an integer of at least 1, got undefined/},
	'no height': {input: {data: pixels, width: 3, height: 0}, message: /height must be an integer of at least 1, got 0/},
	'two channels': {
		input: {data: pixels, width: 2, height: 3, channels: 2},
		message: /channels must be one of 1, 3, 4, got 2/,
	},
	'what its storage fails to give': {
		input: '/proc/self/mem',
		message:
			/^Picture '.proc.self.mem' cannot be had \(EIO: .*, read\): a failure of where it is kept, not of the picture\./,
		code: 'ALEXNET_FOLDER',
	},
	text: {input: 'QUJD'.repeat(1000), message: /the name is too long/, code: 'ALEXNET_PICTURE'},
	'a long path': {
		input: join('x', 'QUJD/'.repeat(200), 'cat.jpg'),
		message: /….*cat\.jpg': there is no/,
		code: 'ALEXNET_PICTURE',
	},
};
for (const [name, {input, message, code = 'ALEXNET_ARGUMENT'}] of Object.entries(refused)) {
	test(`refused: ${name}`, async (t) => {
		const error = await t.throwsAsync(decodePicture(input as PictureInput), {code, message});
		t.true(error.message.length < 400 && !error.message.includes('QUJD'.repeat(60)), error.message);
	});
}
