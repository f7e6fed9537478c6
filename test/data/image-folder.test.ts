import {mkdir, symlink} from 'node:fs/promises';
import {basename, join, relative} from 'node:path';
import test from 'ava';
import {checkFolder} from '../../lib/data/check-folder.ts';
import {Dataset} from '../../lib/data/dataset.ts';
import {ImageFolder} from '../../lib/data/image-folder.ts';
import {PictureError} from '../../lib/data/picture-input.ts';
import {plainPicture, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

// Opening reads no picture, so any bytes will do where none is decoded.
const files = (paths: readonly string[]): Record<string, string> =>
	Object.fromEntries(paths.map((path) => [path, 'x']));
const numbered = (folder: string, count: number): string[] =>
	Array.from({length: count}, (_, i) => `${folder}/${String(i).padStart(3, '0')}.jpg`);
const paths = (dataset: Dataset, folder: string): string[] =>
	dataset.pictures.map(({path}) => relative(folder, path).replaceAll('\\', '/'));

test('classes are folders; every kind of picture counts, in the order of code units', async (t) => {
	const folder = await temporaryFolder(t);
	const wanted = ['a.GIF', 'b.jpeg', 'c.JPG', 'd.png', 'e.tif', 'f.tiff', 'g.webp', 'nested/deep/z.jpg'];
	await writeFiles(
		folder,
		files([
			...wanted.map((name) => `cat/${name}`),
			'cat/notes.txt',
			'cat/.hidden.jpg',
			'cat/.folder/hidden.jpg',
			'Zebra/1.jpg',
			'écureuil/1.jpg',
			'README.md',
			'.cache/no/1.jpg',
		]),
	);
	const {labels, train, validation} = await ImageFolder.open(folder, {validationFraction: 0});
	t.deepEqual(labels, ['Zebra', 'cat', 'écureuil']);
	t.deepEqual(paths(train, folder), ['Zebra/1.jpg', ...wanted.map((name) => `cat/${name}`), 'écureuil/1.jpg']);
	t.deepEqual(
		train.pictures.map(({label}) => label),
		[0, ...wanted.map(() => 1), 2],
	);
	t.is(train.size, 10);
	t.is(validation.size, 0);
	t.is(train.imageSize, 256);
	t.is(validation.labels, labels);
});

test('links are followed, and one that leads back is not walked for ever', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files(['elsewhere/one.jpg', 'pictures/cat/two.jpg', 'three.jpg']));
	await symlink(join(folder, 'elsewhere'), join(folder, 'pictures/dog'));
	await symlink(join(folder, 'three.jpg'), join(folder, 'pictures/cat/three.jpg'));
	await symlink(join(folder, 'pictures/cat'), join(folder, 'pictures/cat/again'));
	await symlink(join(folder, 'nowhere.jpg'), join(folder, 'pictures/cat/broken.jpg'));
	const {labels, train} = await ImageFolder.open(join(folder, 'pictures'), {validationFraction: 0});
	t.deepEqual(labels, ['cat', 'dog']);
	t.deepEqual(paths(train, join(folder, 'pictures')), [
		'cat/broken.jpg',
		'cat/three.jpg',
		'cat/two.jpg',
		'dog/one.jpg',
	]);
});

const leadNowhere: Record<string, readonly [link: string, target: string, reason: string]> = {
	'a class': ['dog', '../away/dog', 'ENOENT'],
	'a class with a dot in its name': ['st. bernard', '../away/dog', 'ENOENT'],
	'a part': ['val', '../away/val', 'ENOENT'],
	'a class of a part': ['train/dog', '../../away/dog', 'ENOENT'],
	'a folder in a class': ['train/cat/more', '../../../away', 'ENOENT'],
	'a link to itself': ['dog', 'dog', 'ELOOP'],
};
for (const [name, [link, target, reason]] of Object.entries(leadNowhere)) {
	test(`a link that leads nowhere is refused by name: ${name}`, async (t) => {
		const folder = await temporaryFolder(t);
		await writeFiles(folder, files(numbered('train/cat', 3)));
		await symlink(target, join(folder, link));
		const message = `The link '${join(folder, link)}' cannot be followed: ${reason}`;
		for (const open of [async () => ImageFolder.open(folder), async () => checkFolder(folder)]) {
			const error = await t.throwsAsync<Error>(open, {code: 'ALEXNET_FOLDER'});
			t.true(error.message.startsWith(message), error.message);
		}
	});
}

test('without val, a share of each class is held out, the same for the same seed', async (t) => {
	const folder = await temporaryFolder(t);
	const sizes = {many: 60, some: 24, few: 3, single: 1};
	for (const [name, count] of Object.entries(sizes)) await writeFiles(folder, files(numbered(name, count)));
	const first = await ImageFolder.open(folder, {seed: 7});
	const heldOut = (label: string): number =>
		first.validation.pictures.filter((picture) => first.labels[picture.label] === label).length;
	t.deepEqual(
		['many', 'some', 'few', 'single'].map(heldOut),
		[6, 2, 1, 0], // round(6), round(2.4), at least one, never the last
	);
	const all = [...paths(first.train, folder), ...paths(first.validation, folder)];
	t.is(new Set(all).size, 88);

	const again = await ImageFolder.open(folder, {seed: 7});
	t.deepEqual(again.train.pictures, first.train.pictures);
	t.deepEqual(again.validation.pictures, first.validation.pictures);
	const other = await ImageFolder.open(folder, {seed: 8});
	t.notDeepEqual(other.validation.pictures, first.validation.pictures);
	t.is(other.validation.size, first.validation.size);
	const more = await ImageFolder.open(folder, {seed: 7, validationFraction: 0.5});
	t.is(more.validation.size, 30 + 12 + 2);
});

test('the division depends neither on the order of the files nor on where the folder lies', async (t) => {
	const folder = await temporaryFolder(t);
	const names = [...numbered('cat', 20), ...numbered('dog', 20)];
	await writeFiles(join(folder, 'one'), files(names));
	await writeFiles(join(folder, 'two'), files(names.toReversed()));
	const [one, two] = await Promise.all(['one', 'two'].map((name) => ImageFolder.open(join(folder, name), {seed: 3})));
	t.deepEqual(paths(one!.validation, join(folder, 'one')), paths(two!.validation, join(folder, 'two')));

	await writeFiles(join(folder, 'two'), files(['cat/new.jpg']));
	const grown = await ImageFolder.open(join(folder, 'two'), {seed: 3});
	const before = new Set(two!.validation.pictures.map(({path}) => path));
	const moved = grown.validation.pictures.filter(({path}) => !before.has(path));
	t.true(moved.length <= 1, 'one more picture moves at most one other');
});

test('train and val are taken as they are', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(
		folder,
		files([...numbered('train/cat', 3), ...numbered('train/dog', 2), 'val/dog/9.png', 'test/x/1.jpg']),
	);
	const {labels, train, validation} = await ImageFolder.open(folder, {validationFraction: 0.5});
	t.deepEqual(labels, ['cat', 'dog']);
	t.is(train.size, 5);
	t.deepEqual(validation.pictures, [{path: join(folder, 'val/dog/9.png'), label: 1}]);
});

test('train alone is divided; among other classes it is a class', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files([...numbered('train/cat', 10), ...numbered('train/dog', 10)]));
	const divided = await ImageFolder.open(folder);
	t.deepEqual(divided.labels, ['cat', 'dog']);
	t.is(divided.validation.size, 2);
	t.is(divided.train.size, 18);
	await writeFiles(folder, files(['bus/1.jpg']));
	const among = await ImageFolder.open(folder);
	t.deepEqual(among.labels, ['bus', 'train']);
	const remark = "'train' is a class here. If it is a part, call the parts train and val.";
	t.deepEqual(among.remarks, [remark]);
	t.deepEqual((await checkFolder(folder)).remarks, [remark]);
});

test('held-out parts without train are classes, with a remark', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files(['test/1.jpg', 'Val/1.jpg', 'cat/1.jpg']));
	const {labels, remarks} = await ImageFolder.open(folder);
	t.deepEqual(labels, ['Val', 'cat', 'test']);
	t.deepEqual(remarks, ["'Val' and 'test' are classes here. If they are parts, call the parts train and val."]);
});

/** The folder of each part, and what is said. */
const layouts: readonly {
	folders: readonly string[];
	train: string;
	heldOut: string;
	remarks?: readonly RegExp[];
}[] = [
	{folders: ['train', 'val'], train: 'train', heldOut: 'val'},
	{folders: ['Train', 'Val'], train: 'Train', heldOut: 'Val'},
	{folders: ['train', 'valid'], train: 'train', heldOut: 'valid'},
	{folders: ['training', 'validation'], train: 'training', heldOut: 'validation'},
	{folders: ['TRAIN', 'Validation'], train: 'TRAIN', heldOut: 'Validation'},
	{folders: ['training_set', 'Validation Set'], train: 'training_set', heldOut: 'Validation Set'},
	...['test', 'Test', 'testing', 'test_set', 'eval', 'dev', 'Evaluation', 'hold-out', 'heldout'].map((heldOut) => ({
		...{folders: ['training', heldOut], train: 'training', heldOut},
		remarks: [new RegExp(`^'training' is trained on and '${heldOut}' is held out\\. If they are classes, rename one`)],
	})),
	{
		...{folders: ['train', 'val', 'test'], train: 'train', heldOut: 'val'},
		remarks: [/^'test' is left out: 'train' is trained on and 'val' is held out\.$/],
	},
	{
		...{folders: ['train', 'dev', 'test'], train: 'train', heldOut: 'dev'},
		remarks: [/^'train' is trained on and 'dev' is held out\./, /^'test' is left out/],
	},
];
for (const {folders, train, heldOut, remarks = []} of layouts) {
	test(`${folders.join(' and ')}: ${train} is trained on, ${heldOut} is held out`, async (t) => {
		const folder = await temporaryFolder(t);
		for (const name of folders) await writeFiles(folder, files([`${name}/cat/1.jpg`, `${name}/dog/1.jpg`]));
		const opened = await ImageFolder.open(folder);
		t.deepEqual(opened.labels, ['cat', 'dog']);
		t.deepEqual(paths(opened.train, folder), [`${train}/cat/1.jpg`, `${train}/dog/1.jpg`]);
		t.deepEqual(paths(opened.validation, folder), [`${heldOut}/cat/1.jpg`, `${heldOut}/dog/1.jpg`]);
		t.is(opened.remarks.length, remarks.length, opened.remarks.join('\n'));
		remarks.forEach((remark, index) => t.regex(opened.remarks[index] ?? '', remark));
	});
}

const composed = 'caf\u00e9';
const decomposed = 'cafe\u0301';

test('names in either Unicode form are the same classes, divided alike', async (t) => {
	const folder = await temporaryFolder(t);
	const forms = {composed, decomposed};
	for (const [form, name] of Object.entries(forms)) {
		await writeFiles(join(folder, form), files([...numbered(name, 20), ...numbered('cafz', 20)]));
	}
	const opened = await Promise.all(Object.keys(forms).map((form) => ImageFolder.open(join(folder, form), {seed: 4})));
	for (const {labels} of opened) t.deepEqual(labels, ['cafz', composed]);
	const heldOut = opened.map(({validation}, index) =>
		paths(validation, join(folder, Object.keys(forms)[index] ?? '')).map((path) => path.normalize('NFC')),
	);
	t.deepEqual(heldOut[0], heldOut[1]);
	// Files are opened by the names that they have.
	t.true(opened[1]?.train.pictures.some(({path}) => path.includes(decomposed)));
	await writeFiles(folder, files([`parts/train/${composed}/1.jpg`, `parts/val/${decomposed}/2.jpg`]));
	t.is((await ImageFolder.open(join(folder, 'parts'))).validation.size, 1);
});

const alike = {'Unicode form': [composed, decomposed], case: ['Cat', 'cat']};
for (const [difference, names] of Object.entries(alike)) {
	test(`classes whose names differ in ${difference} alone are refused by name`, async (t) => {
		const folder = await temporaryFolder(t);
		for (const name of [...names, 'dog']) await writeFiles(folder, files([`${name}/1.jpg`]));
		const error = await t.throwsAsync(ImageFolder.open(folder), {code: 'ALEXNET_FOLDER'});
		for (const name of names) t.true(error.message.includes(`'${name}'`), error.message);
		t.true(error.message.includes(`differ in ${difference}`), error.message);
	});
}

test('the metadata of systems, NAS boxes and archives is skipped at every level', async (t) => {
	const folder = await temporaryFolder(t);
	const entries = [
		...['__MACOSX', 'Network Trash Folder', 'Temporary Items', '$RECYCLE.BIN', 'RECYCLER', 'FOUND.000'],
		...['System Volume Information', '@eaDir', '#recycle', '#snapshot', '@tmp', '@sharebin', '@Recycle'],
		...['@Recently-Snapshot', 'lost+found', '~snapshot'],
	];
	const single = ['Icon\r', 'Thumbs.db', 'ehthumbs.db', 'desktop.ini', '.DS_Store', '._1.jpg', '.Trashes'];
	const streams = ['1.jpg:Zone.Identifier', '1.jpg@SynoEAStream', '1.jpg@SynoResource'];
	for (const level of ['', 'train/', 'train/cat/', 'val/', 'val/cat/deep/']) {
		const names = [...entries.map((name) => `${name}/cat/1.jpg`), ...single, ...streams];
		await writeFiles(folder, files([...names.map((name) => level + name), 'train/cat/1.jpg', 'val/cat/deep/2.jpg']));
	}
	const {labels, train, validation, leftOut, remarks} = await ImageFolder.open(folder);
	t.deepEqual(labels, ['cat']);
	t.deepEqual(paths(train, folder), ['train/cat/1.jpg']);
	t.deepEqual(paths(validation, folder), ['val/cat/deep/2.jpg']);
	t.is(leftOut.size, 0);
	t.deepEqual(remarks, []);
});

test('what is left out is counted and said, with a warning where it is most', async (t) => {
	const folder = await temporaryFolder(t);
	const many = (count: number, name: string): string[] => Array.from({length: count}, (_, i) => `cat/${i}${name}`);
	await writeFiles(folder, files([...many(4, '.JFIF'), ...many(1, '.jpe'), ...many(1, '.Jif'), ...many(3, '.BMP')]));
	const few = await ImageFolder.open(folder, {validationFraction: 0});
	t.is(few.train.size, 6);
	t.deepEqual([...few.leftOut], [['.bmp', 3]]);
	t.regex(few.remarks.join(), /^3 of 9 files are left out: 3 \.bmp\. Only \.jpg, .* are read: convert/);
	await writeFiles(
		folder,
		files([...many(40, '.bmp'), ...many(30, ''), ...many(8, '.heic'), 'dog/1.jpg', 'stray.jpg']),
	);
	const most = await ImageFolder.open(folder);
	t.is(most.leftOut.get(''), 30);
	t.regex(
		most.remarks[0] ?? '',
		/^warning: 81 of 88 files are left out: 43 \.bmp, 30 without extension, 8 \.heic\. .* to JPEG or PNG\.$/,
	);
	t.is(most.remarks[1], '1 picture is left out: no class folder holds it.');
});

test('a class that only val has is an error', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files(['train/cat/1.jpg', 'val/cat/2.jpg', 'val/cow/3.jpg']));
	await t.throwsAsync(ImageFolder.open(folder), {code: 'ALEXNET_LABEL', message: /train does not have: cow/});
});

test('one class is enough', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files(numbered('cat', 2)));
	const {labels, train, validation} = await ImageFolder.open(folder);
	t.deepEqual(labels, ['cat']);
	t.deepEqual([train.size, validation.size], [1, 1]);
});

const refused: Record<string, {tree: readonly string[]; open?: string; message: RegExp}> = {
	'a missing folder': {tree: [], open: 'nowhere', message: /There is no folder '.*nowhere'.*one folder per class/},
	'a file': {tree: ['file.jpg'], open: 'file.jpg', message: /is a file, not a folder.*one folder per class/},
	'an empty folder': {tree: [], message: /holds no class folders \(nothing\)/},
	'pictures without classes': {
		tree: ['1.jpg', '2.png'],
		message: /holds 2 pictures but no class folders\. Move each picture into a folder named after its class/,
	},
	'other files alone': {tree: ['a.csv', 'b.csv'], message: /no class folders \(2 \.csv files\)/},
	'hidden folders alone': {tree: ['.git/1.jpg'], message: /no class folders/},
	'classes of files that are not read': {
		tree: ['cat/1.bmp', 'cat/2.bmp', 'cat/3.heic'],
		message:
			/cat' holds no pictures \(2 \.bmp files, 1 \.heic file\).*Expected \.jpg.*Convert the files to JPEG or PNG/,
	},
	'one class without pictures': {tree: ['cat/1.jpg', 'dog/readme'], message: /dog' holds no pictures \(1 file\)/},
	'train without classes': {
		tree: ['train/1.jpg', 'val/cat/1.jpg'],
		message: /train' holds 1 pictures but no class folders/,
	},
	'two folders that may be held out': {
		tree: ['train/cat/1.jpg', 'val/cat/1.jpg', 'valid/cat/1.jpg'],
		message: /'val' and 'valid'; which of them is held out cannot be told/,
	},
	'an empty class in val': {tree: ['train/cat/1.jpg', 'val/cat/1.txt'], message: /val.cat' holds no pictures/},
};
for (const [name, {tree, open = '.', message}] of Object.entries(refused)) {
	test(`${name}: refused, with what to do`, async (t) => {
		const folder = await temporaryFolder(t);
		await writeFiles(folder, files(tree));
		await t.throwsAsync(ImageFolder.open(join(folder, open)), {code: 'ALEXNET_FOLDER', name: 'AlexNetError', message});
	});
}

test('a class folder without any file says so', async (t) => {
	const folder = await temporaryFolder(t);
	await mkdir(join(folder, 'cat'));
	await t.throwsAsync(ImageFolder.open(folder), {code: 'ALEXNET_FOLDER', message: /\(nothing\).*Add pictures/});
});

test('options that cannot be are refused', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files(numbered('cat', 2)));
	const bad = [
		{validationFraction: 1},
		{validationFraction: -0.1},
		{validationFraction: NaN},
		{seed: 0.5},
		{cacheBytes: -1},
		{imageSize: 0},
	];
	for (const options of bad) {
		await t.throwsAsync(ImageFolder.open(folder, options), {code: 'ALEXNET_ARGUMENT'}, JSON.stringify(options));
	}
});

test('strict and imageSize reach both datasets', async (t) => {
	const folder = await temporaryFolder(t);
	const good = await plainPicture([1, 2, 3]);
	await writeFiles(folder, {'train/a/1.png': good, 'train/a/2.png': 'x', 'val/a/1.png': good, 'val/a/2.png': 'x'});
	const {train, validation} = await ImageFolder.open(folder, {strict: true, imageSize: 8});
	for (const dataset of [train, validation]) {
		t.is(dataset.imageSize, 8);
		const error = await t.throwsAsync(dataset.batches({batchSize: 2}).next(), {code: 'ALEXNET_PICTURE'});
		t.regex(error.message, /2\.png/);
		t.is([...dataset.unreadable.keys()].map((path) => basename(path)).join(), '2.png');
	}
});

test('a class of which no picture can be read is refused before anything is learned', async (t) => {
	const folder = await temporaryFolder(t);
	const page = '<!DOCTYPE html><title>404</title>';
	const good = await plainPicture([1, 2, 3]);
	await writeFiles(folder, {'cat/1.png': good, 'cat/2.png': page, 'dog/1.png': page, 'dog/2.png': page});
	const {train} = await ImageFolder.open(folder, {imageSize: 8, validationFraction: 0});
	await t.throwsAsync(train.statistics(), {
		code: 'ALEXNET_FOLDER',
		message: /None of the 2 pictures of class 'dog' can be read; the first is '.*dog.1\.png': it is not a JPEG, PNG/,
	});
	await writeFiles(folder, {'dog/2.png': good});
	await t.notThrowsAsync((await ImageFolder.open(folder, {imageSize: 8, validationFraction: 0})).train.statistics());
});

test('checkClasses reads each class up to its first readable picture, and once', async (t) => {
	const bad = ['b0', 'b1', 'd0'];
	const read: string[] = [];
	const labels = ['a', 'b', 'c', 'd'];
	const paths = ['a0', 'a1', 'b0', 'b1', 'b2', 'b3', 'd0'];
	const dataset = (count: number): Dataset =>
		new Dataset({
			...{labels, imageSize: 8, atOnce: 3},
			pictures: paths.slice(0, count).map((path) => ({path, label: labels.indexOf(path[0]!)})),
			decode: (path) => {
				read.push(path);
				if (bad.includes(path)) throw new PictureError(path, 'it is a page', 'Replace it.');
				return Promise.resolve(new Uint8Array(8 * 8 * 3));
			},
		});
	const three = dataset(paths.length - 1);
	await three.checkClasses();
	t.deepEqual(read, ['a0', 'b0', 'b1', 'b2']);
	t.deepEqual(three.unreadablePlaces, [2, 3]);
	await three.checkClasses();
	t.is(read.length, 4);
	const message = "The one picture of class 'd' cannot be read; it is 'd0': it is a page. Replace";
	for (const method of ['checkClasses', 'check', 'statistics'] as const) {
		const error = await t.throwsAsync(dataset(paths.length)[method](), {code: 'ALEXNET_FOLDER'}, method);
		t.true(error.message.startsWith(message), error.message);
	}
	await t.throwsAsync(dataset(paths.length).checkClasses(AbortSignal.abort(new Error('enough'))), {message: 'enough'});
});
