// Damage that the decoder steps over without a word.
import {crc32} from 'node:zlib';
import test from 'ava';
import sharp, {type Sharp} from 'sharp';
import {damageOf} from '../../lib/data/damage.ts';
import {decodePicture, inspectData} from '../../lib/data/decode.ts';
import {painted, randomColour, randomNumbers} from '../helpers/pictures.ts';

const seed = Math.floor(Math.random() * 2 ** 32);
const random = randomNumbers(seed);
const below = (bound: number): number => Math.floor(random() * bound);

function noise(width = 40 + below(300), height = 40 + below(300)): Sharp {
	return painted(width, height, () => randomColour(random));
}

const suspicion = async (bytes: Buffer): Promise<string | undefined> =>
	(await inspectData({name: undefined, bytes}, 64)).suspect;

/** Where the scans of a JPEG begin, with the tables before them, told apart from coded data by its own rules. */
function scanStarts(jpeg: Buffer): number[] {
	const starts: number[] = [];
	for (let [at, tables] = [2, 0]; ;) {
		const marker = jpeg[at + 1]!;
		if (marker === 0xd9) return starts;
		if (marker === 0xc4) tables ||= at;
		const header = at;
		at += 2 + jpeg.readUInt16BE(at + 2);
		if (marker !== 0xda) continue;
		starts.push(tables || header);
		tables = 0;
		while (jpeg[at] !== 0xff || jpeg[at + 1] === 0) ++at;
	}
}

test.serial('a progressive JPEG that ends after any of its scans but the last is suspect', async (t) => {
	for (const picture of [
		noise().jpeg({progressive: true}),
		noise().jpeg({progressive: true, chromaSubsampling: '4:4:4'}),
		noise().toColourspace('b-w').jpeg({progressive: true}),
		noise().toColourspace('cmyk').jpeg({progressive: true}),
	]) {
		const whole = await picture.toBuffer();
		t.is(await suspicion(whole), undefined, `seed ${seed}`);
		const starts = scanStarts(whole).slice(1);
		t.true(starts.length >= 4, `${starts.length + 1} scans`);
		for (const start of starts) {
			const cut = Buffer.concat([whole.subarray(0, start), Buffer.from([0xff, 0xd9])]);
			t.regex((await suspicion(cut))!, /its last scans are missing/, `seed ${seed}, cut at ${start}`);
			const followed = Buffer.concat([cut, whole]);
			t.regex(damageOf(followed)!, /scans/, 'whatever follows the end marker');
		}
	}
});

test.serial('a JPEG whose frame has colours that no scan brings is suspect', async (t) => {
	const grey = await noise().toColourspace('b-w').jpeg().toBuffer();
	const frame = grey.indexOf('\xff\xc0', undefined, 'latin1');
	const components = [1, 2, 3].flatMap((id) => [id, 0x11, 0]);
	const header = Buffer.from([...grey.subarray(frame, frame + 9), 3, ...components]);
	header.writeUInt16BE(header.length - 2, 2);
	const bytes = Buffer.concat([grey.subarray(0, frame), header, grey.subarray(frame + 13)]);
	t.is((await decodePicture(bytes)).length, 256 * 256 * 3);
	t.regex((await suspicion(bytes))!, /scans are missing/);
});

test.serial('a PNG damaged where the centre crop needs nothing is suspect; text in it may be anything', async (t) => {
	const whole = await noise(100, 300).png({compressionLevel: 1}).toBuffer();
	t.is(await suspicion(whole), undefined);
	const damaged = Buffer.from(whole);
	const at = Math.round(whole.length * (0.92 + 0.05 * random()));
	damaged[at] = damaged[at]! ^ (1 << below(8));
	t.is(await suspicion(damaged), 'it is damaged (the checksum of its IDAT chunk is wrong)', `seed ${seed}`);
	const text = Buffer.from('\0\0\0\x05tEXta\0b c????', 'latin1');
	const ends = whole.indexOf('IEND', undefined, 'latin1') - 4;
	const withText = Buffer.concat([whole.subarray(0, ends), text, whole.subarray(ends)]);
	t.not(crc32(text.subarray(4, 13)), text.readUInt32BE(13));
	t.is(damageOf(withText), undefined);
});

test.serial('tails that were never written are noticed', async (t) => {
	const [webp, gif] = await Promise.all([noise(200, 200).webp().toBuffer(), noise(200, 200).gif().toBuffer()]);
	for (const share of [0.3, 0.5, 0.8]) {
		const emptied = (bytes: Buffer): Buffer => Buffer.from(bytes).fill(0, Math.round(bytes.length * share));
		t.regex(damageOf(emptied(webp))!, /was never written/);
		await t.throwsAsync(decodePicture(emptied(gif)), {code: 'ALEXNET_PICTURE', message: /GIF data is cut short/});
	}
	t.is(damageOf(webp), undefined);
	t.is((await decodePicture(Buffer.concat([gif, Buffer.alloc(9999)]))).length, 256 * 256 * 3);
});

test.serial('whole pictures of all kinds are not suspected', async (t) => {
	const plain = (): Sharp => {
		const [r, g, b] = randomColour(random);
		return sharp({create: {width: 1 + below(900), height: 1 + below(900), channels: 3, background: {r, g, b}}});
	};
	for (let trial = 0; trial < 60; ++trial) {
		const picture = trial % 2 === 0 ? plain() : noise();
		const quality = 1 + below(100);
		const encoded = [
			() => picture.jpeg({quality, progressive: trial % 3 === 0, optimiseScans: trial % 6 === 0}),
			() => picture.png({palette: trial % 3 === 0, progressive: trial % 4 === 0}),
			() => picture.webp({quality, lossless: trial % 3 === 0}),
			() => picture.gif(),
			() => picture.tiff({compression: 'lzw'}),
		][trial % 5]!();
		const bytes = await encoded.toBuffer();
		t.is(damageOf(bytes), undefined, `seed ${seed}, trial ${trial}`);
		t.is(await suspicion(bytes), undefined, `seed ${seed}, trial ${trial}`);
	}
});
