// TIFF keeps numbers of every kind; black and white are certain for few of them.
import test from 'ava';
import sharp from 'sharp';
import {decodePicture} from '../../lib/data/decode.ts';
import {painted, type Rgb} from '../helpers/pictures.ts';

const side = 16;
const [unsigned, signed, float] = [1, 2, 3];
const blackIsZero = 1;

/** An uncompressed grey TIFF whose every sample has the same bytes. */
function greyTiff(sample: Buffer, format: number, bits = sample.length * 8): Buffer {
	const data = Buffer.alloc((side * side * bits) / 8, sample);
	const tags = [
		[256, side],
		[257, side],
		[258, bits],
		[259, 1],
		[262, blackIsZero],
		[273, 8],
		[277, 1],
		[278, side],
		[279, data.length],
		[339, format],
	];
	const directory = Buffer.alloc(2 + tags.length * 12 + 4);
	directory.writeUInt16LE(tags.length);
	const [long, one] = [4, 1];
	tags.forEach(([tag = 0, value = 0], i) => {
		directory.writeUInt16LE(tag, 2 + i * 12);
		directory.writeUInt16LE(long, 4 + i * 12);
		directory.writeUInt32LE(one, 6 + i * 12);
		directory.writeUInt32LE(value, 10 + i * 12);
	});
	const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
	header.writeUInt32LE(header.length + data.length, 4);
	return Buffer.concat([header, data, directory]);
}

/** A little-endian number of so many bytes. */
function number(bytes: number, write: (buffer: Buffer) => void): Buffer {
	const buffer = Buffer.alloc(bytes);
	write(buffer);
	return buffer;
}

const value = Math.floor(Math.random() * 256);
const read: Readonly<Record<string, {tiff: Buffer; grey: number}>> = {
	'8 bits': {tiff: greyTiff(Buffer.from([value]), unsigned), grey: value},
	'16 bits': {tiff: greyTiff(Buffer.from([value, value]), unsigned), grey: value},
	'1 bit': {tiff: greyTiff(Buffer.from([0xff]), unsigned, 1), grey: 255},
	'2 bits': {tiff: greyTiff(Buffer.from([0xaa]), unsigned, 2), grey: 170},
	'4 bits': {tiff: greyTiff(Buffer.from([0x66]), unsigned, 4), grey: 102},
};
for (const [name, {tiff, grey}] of Object.entries(read)) {
	test(`TIFF with ${name} a sample is read`, async (t) => {
		t.deepEqual([...(await decodePicture(tiff, 4))], new Array<number>(4 * 4 * 3).fill(grey));
	});
}

const refused: Readonly<Record<string, {tiff: Buffer; type: string}>> = {
	'floats from 0 to 1': {
		tiff: greyTiff(
			number(4, (to) => to.writeFloatLE(value / 255)),
			float,
		),
		type: 'float',
	},
	'floats from 0 to 65535': {
		tiff: greyTiff(
			number(4, (to) => to.writeFloatLE(value * 257)),
			float,
		),
		type: 'float',
	},
	'signed 8-bit numbers': {
		tiff: greyTiff(
			number(1, (to) => to.writeInt8(value >> 1)),
			signed,
		),
		type: 'char',
	},
	'signed 16-bit numbers': {
		tiff: greyTiff(
			number(2, (to) => to.writeInt16LE(value)),
			signed,
		),
		type: 'short',
	},
	'32-bit numbers': {
		tiff: greyTiff(
			number(4, (to) => to.writeUInt32LE(value * 0x01010101)),
			unsigned,
		),
		type: 'uint',
	},
};
for (const [name, {tiff, type}] of Object.entries(refused)) {
	test(`TIFF with ${name} is refused`, async (t) => {
		const message = new RegExp(`its samples are of type ${type}, .*Convert it to whole numbers of 8 or 16 bits`);
		await t.throwsAsync(decodePicture(tiff, 4), {code: 'ALEXNET_PICTURE', message});
	});
}

test('TIFF in CIELAB is read: its scale is part of the colour space', async (t) => {
	const colour: Rgb = [200, 60, value];
	const lab = await painted(side, side, () => colour)
		.toColourspace('lab')
		.tiff({compression: 'lzw'})
		.toBuffer();
	t.is((await sharp(lab).metadata()).space, 'lab');
	const pixels = await decodePicture(lab, 4);
	colour.forEach((wanted, channel) =>
		t.true(Math.abs(pixels[channel]! - wanted) <= 1, `${pixels[channel]} for ${wanted}`),
	);
});
