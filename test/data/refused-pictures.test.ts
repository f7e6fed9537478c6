import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {decodePicture} from '../../lib/data/decode.ts';
import {painted, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

test('what is no picture is refused, with its name and the reason', async (t) => {
	const folder = await temporaryFolder(t);
	const cases: Record<string, {content: string; message: RegExp}> = {
		'empty.png': {content: '', message: /empty\.png.*is empty \(0 bytes\)/},
		'text.jpg': {
			content: 'not a picture at all',
			message: /text\.jpg.*not a JPEG, PNG, WebP, GIF or TIFF picture\. Convert/,
		},
		'drawing.png': {content: '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', message: /not a JPEG/},
		'photo.jpg': {content: '\0\0\0\x18ftypheic and more', message: /not a JPEG/},
	};
	await writeFiles(folder, Object.fromEntries(Object.entries(cases).map(([name, {content}]) => [name, content])));
	for (const [name, {message}] of Object.entries(cases)) {
		const error = await t.throwsAsync(decodePicture(join(folder, name)), {
			code: 'ALEXNET_PICTURE',
			name: 'AlexNetError',
		});
		t.regex(error.message, message);
	}
});

test('a missing file and a folder are refused', async (t) => {
	const folder = await temporaryFolder(t);
	await mkdir(join(folder, 'cat.jpg'));
	await t.throwsAsync(decodePicture(join(folder, 'dog.jpg')), {
		code: 'ALEXNET_PICTURE',
		message: /dog\.jpg.*no such file/,
	});
	await t.throwsAsync(decodePicture(join(folder, 'cat.jpg')), {
		code: 'ALEXNET_PICTURE',
		message: /cat\.jpg.*is a folder/,
	});
});

test('a picture of too many pixels is refused before it takes memory', async (t) => {
	const jpeg = await painted(64, 64, (x, y) => [x, y, 90])
		.jpeg()
		.toBuffer();
	const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
	jpeg.writeUInt16BE(65_000, frame + 5);
	jpeg.writeUInt16BE(65_000, frame + 7);
	await t.throwsAsync(decodePicture(jpeg), {
		code: 'ALEXNET_PICTURE',
		message: /more than 268 million pixels.*Scale it down/,
	});
});
