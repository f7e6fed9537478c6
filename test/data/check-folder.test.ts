// What is odd about a folder, all of it at once.
import {mkdir, readFile, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {checkFolder, type CheckFolderOptions, type FolderReport} from '../../lib/data/check-folder.ts';
import {ImageFolder} from '../../lib/data/image-folder.ts';
import {painted, plainPicture, randomColour, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const random = randomNumbers(Math.floor(Math.random() * 2 ** 32));
const noise = async (width = 64, height = 64): Promise<Buffer> =>
	painted(width, height, () => randomColour(random))
		.jpeg()
		.toBuffer();

type Files = Record<string, Uint8Array | string>;

/** Twelve pictures for each class folder. */
async function pictures(...folders: readonly string[]): Promise<Files> {
	const names = folders.flatMap((folder) => Array.from({length: 12}, (_, index) => `${folder}/${index}.jpg`));
	return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await noise()] as const)));
}

async function folderOf(t: ExecutionContext, files: Files): Promise<string> {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files);
	return folder;
}

async function checked(t: ExecutionContext, files: Files, options?: CheckFolderOptions): Promise<FolderReport> {
	return checkFolder(await folderOf(t, files), options);
}

/** Each finding in a line. */
const linesOf = ({findings}: FolderReport): string[] =>
	findings.map(({kind, paths, reason}) => `${kind} ${paths.join(' = ')}: ${reason}`);

test('nothing is odd about a plain folder, and each picture is told of', async (t) => {
	const files = await pictures('train/cat', 'train/dog', 'val/cat', 'val/dog');
	const progress: [number, number][] = [];
	const report = await checked(t, files, {onProgress: (...each) => progress.push(each)});
	t.deepEqual(report, {classes: 2, train: 24, heldOut: 24, findings: [], remarks: []});
	t.deepEqual(
		progress,
		Array.from({length: 48}, (_, index) => [index + 1, 48]),
	);
});

test('pictures that cannot be read, are damaged, tiny or long', async (t) => {
	const whole = await painted(80, 80, () => randomColour(random))
		.jpeg({progressive: true})
		.toBuffer();
	const lastScan = whole.lastIndexOf('\xff\xda', undefined, 'latin1');
	const folder = await folderOf(t, {
		...(await pictures('cat', 'dog')),
		'cat/page.jpg': '<html>',
		'cat/cut.jpg': whole.subarray(0, lastScan),
		'dog/coarse.jpg': Buffer.concat([whole.subarray(0, lastScan), Buffer.from([0xff, 0xd9])]),
		'dog/tiny.png': await plainPicture([1, 2, 3], 63),
		'dog/just.png': await plainPicture([1, 2, 3], 64),
		'dog/long.jpg': await noise(64, 257),
		'dog/nearly.jpg': await noise(256, 64),
		'dog/both.jpg': await noise(9, 1),
	});
	await symlink('nowhere', join(folder, 'dog', 'link.png'));
	t.deepEqual(linesOf(await checkFolder(folder, {validationFraction: 0})), [
		`unreadable cat/cut.jpg: the JPEG data is cut short after ${lastScan} bytes`,
		'unreadable cat/page.jpg: it is not a JPEG, PNG, WebP, GIF or TIFF picture',
		'unreadable dog/link.png: there is no such file',
		'suspect dog/coarse.jpg: it is coarse or without colours (its last scans are missing)',
		'tiny dog/both.jpg: it has 9 x 1 pixels',
		'tiny dog/tiny.png: it has 63 x 63 pixels',
		'extremeShape dog/both.jpg: it has 9 x 1 pixels',
		'extremeShape dog/long.jpg: it has 64 x 257 pixels',
	]);
});

test('the same bytes: held out and trained on, in several classes, or only twice', async (t) => {
	const [leaked, mixed, twice, broken] = [await noise(), await noise(), await noise(), 'the same page'];
	const report = await checked(t, {
		...(await pictures('train/cat', 'train/dog', 'val/cat', 'val/dog')),
		...{'train/cat/l1.jpg': leaked, 'val/cat/l2.jpg': leaked, 'train/cat/l3.png': leaked},
		...{'train/cat/m1.jpg': mixed, 'train/dog/m2.jpg': mixed},
		...{'val/dog/t1.jpg': twice, 'val/dog/sub/t2.jpg': twice, 'train/dog/b.jpg': broken, 'val/cat/b.jpg': broken},
	});
	const same = 'their bytes are the same';
	t.deepEqual(linesOf(report).slice(2), [
		`heldOutDuplicate train/cat/l1.jpg = train/cat/l3.png = val/cat/l2.jpg: ${same}, and only some are held out`,
		`heldOutDuplicate train/dog/b.jpg = val/cat/b.jpg: ${same}, and only some are held out`,
		`classDuplicate train/cat/m1.jpg = train/dog/m2.jpg: ${same}, and they are of 2 classes`,
		`classDuplicate train/dog/b.jpg = val/cat/b.jpg: ${same}, and they are of 2 classes`,
		`duplicate val/dog/sub/t2.jpg = val/dog/t1.jpg: ${same}`,
	]);
	t.deepEqual(
		report.findings.slice(0, 2).map(({kind}) => kind),
		['unreadable', 'unreadable'],
	);
});

test('what is held out by lot is what training holds out', async (t) => {
	const files = await pictures('cat', 'dog');
	for (const name of Object.keys(files)) files[`${name.slice(0, -4)}-again.jpg`] = files[name]!;
	const folder = await folderOf(t, files);
	for (const seed of [0, 1 + Math.floor(random() * 1000)]) {
		const {train, validation} = await ImageFolder.open(folder, {validationFraction: 0.3, seed});
		const report = await checkFolder(folder, {validationFraction: 0.3, seed});
		t.deepEqual([report.train, report.heldOut], [train.size, validation.size]);
		const heldOut = new Set(validation.pictures.map(({path}) => path));
		const twins = train.pictures.filter(({path}) => !path.endsWith('-again.jpg'));
		const other = (path: string): string => `${path.slice(0, -4)}-again.jpg`;
		const leaked =
			twins.filter(({path}) => heldOut.has(other(path))).length +
			validation.pictures.filter(({path}) => !path.endsWith('-again.jpg') && !heldOut.has(other(path))).length;
		const found = report.findings.filter(({kind}) => kind === 'heldOutDuplicate');
		t.is(found.length, leaked, `seed ${seed}`);
		for (const {reason} of found) t.true(reason.endsWith(`only some are held out, as seed ${seed} draws them`));
		t.is(report.findings.filter(({kind}) => kind === 'duplicate').length, 24 - leaked);
	}
});

test('classes that training would refuse or learn little of, and what is left out', async (t) => {
	const folder = await folderOf(t, {
		...(await pictures('train/cat', 'train/dog', 'train/Dog', 'val/dog', 'val/Dog', 'val/wolf')),
		'train/few/1.jpg': await noise(),
		'val/few/1.jpg': 'no picture',
		'val/few/2.jpg': await noise(),
		'train/none/a.bmp': 'BM',
		'train/dog/notes.txt': 'notes',
		'train/stray.jpg': await noise(),
	});
	await mkdir(join(folder, 'extra'));
	const report = await checkFolder(folder);
	t.deepEqual(linesOf(report), [
		'emptyClass train/none: it holds 1 .bmp file',
		'unknownClass val/wolf: there is no such class to train on',
		'unreadable val/few/1.jpg: it is not a JPEG, PNG, WebP, GIF or TIFF picture',
		'smallClass train/cat: no readable picture held out',
		'smallClass train/few: readable pictures to train on: 1',
		'similarNames train/Dog = train/dog = val/Dog = val/dog: they differ in case alone, for which training stops',
		...linesOf(report).slice(-2),
	]);
	t.regex(linesOf(report).at(-2)!, /^leftOut : 2 of 77 files are left out: 1 \.txt, 1 \.bmp\. /);
	t.is(linesOf(report).at(-1), 'leftOut : 1 picture is left out: no class folder holds it.');
	t.deepEqual(report.remarks, ["'extra' is left out: 'train' is trained on and 'val' is held out."]);
	t.is(report.classes, 6);
});

test('pictures of a class whose names look alike', async (t) => {
	const files = await pictures('cat', 'dog');
	const more: Files = {};
	for (const name of ['cat/A.jpg', 'cat/a.jpg', 'dog/A.jpg', 'dog/sub/B.jpg', 'dog/Sub/b.jpg'])
		more[name] = await noise();
	t.deepEqual(linesOf(await checked(t, {...files, ...more}, {validationFraction: 0})), [
		'similarNames cat/A.jpg = cat/a.jpg: they differ in case alone',
		'similarNames dog/Sub/b.jpg = dog/sub/B.jpg: they differ in case alone',
	]);
});

test('a folder none of whose pictures can be read is told of as any other', async (t) => {
	const report = await checked(t, {'cat/1.jpg': 'a', 'cat/2.jpg': 'b', 'dog/1.jpg': 'c'});
	t.deepEqual(
		report.findings.map(({kind}) => kind),
		['unreadable', 'unreadable', 'unreadable', 'smallClass', 'smallClass'],
	);
});

test('what is no folder of classes is refused, and so is an unknown option', async (t) => {
	const folder = await temporaryFolder(t);
	await t.throwsAsync(checkFolder(join(folder, 'none')), {code: 'ALEXNET_FOLDER', message: /There is no folder/});
	await t.throwsAsync(checkFolder(folder), {code: 'ALEXNET_FOLDER', message: /no class folders/});
	await t.throwsAsync(checkFolder(''), {code: 'ALEXNET_ARGUMENT'});
	await t.throwsAsync(checkFolder(folder, {sed: 1} as object), {code: 'ALEXNET_ARGUMENT', message: /'seed'/});
});

test('a signal ends it with its reason, and what is under way leaves nothing behind', async (t) => {
	const folder = await folderOf(t, await pictures('cat', 'dog'));
	const controller = new AbortController();
	const reason = new Error('enough');
	let last = 0;
	const onProgress = (done: number): void => {
		last = done;
		if (done === 3) controller.abort(reason);
	};
	t.is(await t.throwsAsync(checkFolder(folder, {signal: controller.signal, onProgress})), reason);
	t.is(last, 3);
	t.true((await readFile(join(folder, 'cat', '0.jpg'))).length > 0);
	const failure = new Error('from the callback');
	const throwing = (): void => {
		throw failure;
	};
	t.is(await t.throwsAsync(checkFolder(folder, {onProgress: throwing})), failure);
});
