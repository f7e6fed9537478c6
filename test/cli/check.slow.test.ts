// `alexnet check`, as a user runs it before a night of training.
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import type {FolderReport} from '../../lib/index.ts';
import {alexnet, controlCharacters, writeCorruptPicture, writePictures} from '../helpers/command.ts';
import {painted, randomColour, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const colours = {blue: [30, 40, 220], red: [220, 30, 30]};

test('what is odd is listed by kind, shortened for people and whole as JSON', async (t) => {
	const folder = await temporaryFolder(t);
	const pictures = join(folder, 'pictures');
	await writePictures(join(pictures, 'train'), colours, 12);
	await writePictures(join(pictures, 'val'), {blue: [90, 40, 220]}, 1);
	await writeCorruptPicture(join(pictures, 'train', 'red', 'cor\trupt\u001b[31m.png'));
	await writeFiles(pictures, {'val/red/9.png': await readFile(join(pictures, 'train', 'blue', '3.png'))});
	const text = await alexnet(['check', pictures]);
	t.is(text.code, 4, text.stderr);
	t.deepEqual(controlCharacters(text.stdout), []);
	const lines = text.stdout.split('\n');
	t.deepEqual(lines.slice(0, 3), [
		'Pictures that cannot be read (left out of training): 1',
		'  train/red/cor\\u{9}rupt\\u{1b}[31m.png: it is not a JPEG, PNG, WebP, GIF or TIFF picture',
		'',
	]);
	const tiny = lines.indexOf('Tiny pictures (shorter side below 64 pixels): 26');
	t.regex(lines[tiny + 1]!, /^ {2}train\/blue\/0\.png: it has 40 x 48 pixels$/);
	t.is(lines[tiny + 6], '  and 21 others (--json names all)');
	t.is(lines.at(-2), '25 pictures to train on and 2 held out, in 2 classes: 29 findings.');
	const json = await alexnet(['check', pictures, '--json']);
	t.is(json.code, 4, json.stderr);
	const report = JSON.parse(json.stdout) as FolderReport & {folder: string};
	t.is(report.folder, pictures);
	t.is(report.findings.length, 29);
	t.deepEqual(
		report.findings.filter(({kind}) => kind === 'heldOutDuplicate').map(({paths}) => paths),
		[['train/blue/3.png', 'val/red/9.png']],
	);
});

test('a folder without anything odd ends well, and one that is none does not', async (t) => {
	const folder = await temporaryFolder(t);
	const random = randomNumbers(Math.floor(Math.random() * 2 ** 32));
	for (let index = 0; index < 24; ++index) {
		const picture = painted(64, 70, () => randomColour(random));
		await writeFiles(folder, {[`${index % 2 === 0 ? 'a' : 'b'}/${index}.png`]: await picture.png().toBuffer()});
	}
	const {code, stdout, stderr} = await alexnet(['check', folder, '--validation-fraction', '0.2']);
	t.is(code, 0, stderr);
	t.is(stdout, '20 pictures to train on and 4 held out, in 2 classes: nothing odd.\n');
	const none = await alexnet(['check', join(folder, 'none')]);
	t.is(none.code, 1);
	t.regex(none.stderr, /There is no folder .* \(ALEXNET_FOLDER\)\n$/);
});
