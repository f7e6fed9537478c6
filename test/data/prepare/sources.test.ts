// Whatever pictures come in, they are those of a folder that holds the same.
import {readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {readMatStructs} from '../../../lib/data/prepare/mat-file.ts';
import {takeFolder} from '../../../lib/data/prepare/preparation.ts';
import {decodePicture, ImageFolder, preparePictures, type PrepareOptions} from '../../../lib/index.ts';
import {metaOf, writeIlsvrc, writeTar, type Files, type Synset} from '../../helpers/archives.ts';
import {painted, randomNumbers, temporaryFolder, writeFiles} from '../../helpers/pictures.ts';
import {batchesOf, filesOf, openAt, randomPicture, randomPictures, side} from '../../helpers/prepared.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const random = randomNumbers(seed);

/** Fisher-Yates. */
function mixed<T>(items: readonly T[]): T[] {
	const result = [...items];
	for (let last = result.length - 1; last > 0; --last) {
		const other = Math.floor(random() * (last + 1));
		[result[last], result[other]] = [result[other]!, result[last]!];
	}
	return result;
}

const prepareAt = async (source: string | readonly string[], out: string, options: PrepareOptions = {}) =>
	preparePictures(source, out, {imageSize: side, ...options});

/** All that a folder gives: labels, digests, batches. */
async function contentsOf(folder: string) {
	const {labels, train, validation} = await openAt(folder, {seed: 3});
	const parts = [train, validation].map(async (data) => ({
		contents: await data.contents(),
		batches: await batchesOf(
			data,
			Array.from({length: data.size}, (_, place) => place),
		),
	}));
	return {labels, parts: await Promise.all(parts)};
}

test('an archive of class folders is the folder, in any order, compressed or not, below another folder', async (t) => {
	t.log(`seed ${seed}`);
	const folder = await temporaryFolder(t);
	const files = await randomPictures(seed, ['Zébu', 'ant', 'bee'], 4);
	await writeFiles(join(folder, 'pictures'), files);
	const expected = await contentsOf(join(folder, 'pictures'));
	const junk: Files = [
		['._x.jpg', 'Resource fork'],
		['__MACOSX/ant/._1.jpg', ''],
		['stray.png', 'of no class'],
	];
	const all = Object.entries(files);
	const plain = [
		...mixed(all).map(([name, bytes]) => [`./${name}`, bytes] as const),
		...junk,
		['ant/notes.txt', ''],
	] as Files;
	await writeTar(join(folder, 'plain.tar'), plain);
	await writeTar(
		join(folder, 'below.tgz'),
		mixed(all).map(([name, bytes]) => [`my/pictures/${name}`, bytes] as const),
	);
	for (const name of ['plain.tar', 'below.tgz']) {
		const out = join(folder, `${name}-out`);
		const report = await prepareAt(join(folder, name), out);
		t.is(report.pictures, 12);
		t.is(report.remarks.length, name === 'plain.tar' ? 1 : 0);
		t.deepEqual(await contentsOf(out), expected);
	}
	t.deepEqual([...(await openAt(join(folder, 'plain.tar-out'))).leftOut], [['.txt', 1]]);
});

test('parts of an archive, and archives that are parts', async (t) => {
	const folder = await temporaryFolder(t);
	const [train, held] = [await randomPictures(seed, ['a', 'b'], 3), await randomPictures(seed + 1, ['b'], 2)];
	await writeFiles(join(folder, 'pictures/train'), train);
	await writeFiles(join(folder, 'pictures/val'), held);
	const expected = await contentsOf(join(folder, 'pictures'));
	const below = (part: string, files: typeof train): Files =>
		Object.entries(files).map(([name, bytes]) => [`${part}${name}`, bytes]);
	await writeTar(join(folder, 'both.tar'), mixed([...below('x/train/', train), ...below('x/val/', held)]));
	await writeTar(join(folder, 'my-train.tar'), mixed(below('', train)));
	await writeTar(join(folder, 'my-val.tar'), mixed(below('', held)));
	await prepareAt(join(folder, 'both.tar'), join(folder, 'one'));
	await prepareAt([join(folder, 'my-train.tar'), join(folder, 'my-val.tar')], join(folder, 'two'));
	t.deepEqual(await contentsOf(join(folder, 'one')), expected);
	t.deepEqual(await contentsOf(join(folder, 'two')), expected);
	const swapped = [join(folder, 'my-train.tar'), join(folder, 'other-val.tar')];
	await writeTar(swapped[1]!, below('', await randomPictures(seed, ['c'], 1)));
	await t.throwsAsync(prepareAt(swapped, join(folder, 'three')), {code: 'ALEXNET_LABEL', message: /: c\./});
});

test('WebDataset: pictures beside their classes, over several archives', async (t) => {
	const folder = await temporaryFolder(t);
	const pictures = await Promise.all(Array.from({length: 12}, async () => randomPicture(random)));
	const archives = [0, 1].map((shard) => join(folder, `set-${shard}.tar`));
	const numbers = pictures.map((_, place) => (place * 5) % 12);
	for (const [shard, path] of archives.entries()) {
		const files = pictures
			.slice(shard * 6, shard * 6 + 6)
			.flatMap((bytes, place): (readonly [string, string | Buffer])[] => {
				const key = `00000${place}`;
				const number = numbers[shard * 6 + place]!;
				return [
					[`${key}.cls`, `${number}\n`],
					[`${key}.json`, '{}'],
					[`${key}.png`, bytes],
				];
			});
		await writeTar(
			path,
			shard === 0
				? files
				: [...files.filter(([name]) => name.endsWith('.png')), ...files.filter(([name]) => !name.endsWith('.png'))],
		);
	}
	const report = await prepareAt(archives, join(folder, 'out'));
	t.is(report.pictures, 12);
	const data = await openAt(join(folder, 'out'), {validationFraction: 0});
	t.deepEqual(
		data.labels,
		Array.from({length: 12}, (_, number) => String(number)),
		'by value',
	);
	const batches = await batchesOf(
		data.train,
		Array.from({length: 12}, (_, place) => place),
		12,
	);
	for (const [row, label] of batches[0]!.labels.entries()) {
		const expected = await decodePicture(pictures[numbers.indexOf(label)]!, side);
		t.deepEqual(
			Buffer.from(batches[0]!.images.subarray(row * side * side * 3, (row + 1) * side * side * 3)),
			Buffer.from(expected),
		);
	}
});

test('a flat folder and its label file, as a table and as numbers', async (t) => {
	const folder = await temporaryFolder(t);
	const pictures = join(folder, 'flat');
	const names = ['b,1.png', 'a 2.png', 'c.png', 'sub/d.png', 'e.png'];
	for (const name of names) await writeFiles(pictures, {[name]: await randomPicture(random)});
	const table = 'filename,class\n"b,1.png",cat\r\na 2.png,"dog, small"\n\nsub/d.png,cat\ne.png,dog\n';
	await writeFiles(folder, {'labels.csv': `\uFEFF${table}`, 'truth.txt': '10\n9\n10\n2\n9\n'});
	const report = await prepareAt(pictures, join(folder, 'table'), {labels: join(folder, 'labels.csv')});
	t.is(report.pictures, 4);
	t.regex(report.remarks.join(), /^1 of 5 pictures/);
	const data = await openAt(join(folder, 'table'), {validationFraction: 0});
	t.deepEqual(data.labels, ['cat', 'dog', 'dog, small']);
	t.deepEqual(
		data.train.pictures.map(({path, label}) => [path.split('/').slice(-2).join('/'), label]),
		[
			['cat/b,1.png', 0],
			['sub/d.png', 0],
			['dog/e.png', 1],
			['dog, small/a 2.png', 2],
		],
	);
	await prepareAt(pictures, join(folder, 'numbers'), {labels: join(folder, 'truth.txt')});
	const numbered = await openAt(join(folder, 'numbers'), {validationFraction: 0});
	t.deepEqual(numbered.labels, ['2', '9', '10']);
	t.deepEqual(
		numbered.train.pictures.map(({path}) => path.split('/').at(-1)),
		['e.png', 'b,1.png', 'd.png', 'a 2.png', 'c.png'],
	);

	await writeFiles(folder, {'few.txt': '1\n2\n', 'foreign.csv': 'gone.png,cat\n', 'odd.csv': 'c.png\n'});
	for (const [file, message] of [
		['few.txt', /2 numbers.*5 pictures/],
		['foreign.csv', /'gone.png'/],
		['odd.csv', /Line 1.*name,class/],
		['none.csv', /cannot be read/],
	] as const) {
		const refused = prepareAt(pictures, join(folder, 'refused'), {labels: join(folder, file)});
		await t.throwsAsync(refused, {code: 'ALEXNET_FOLDER', message}, file);
	}
});

const synsets: Synset[] = [
	{id: 1, wnid: 'n02119789', words: 'kit fox, Vulpes macrotis', children: [], pictures: 4},
	{id: 3, wnid: 'n00001740', words: 'entity', children: [1, 2], pictures: 0},
	{id: 2, wnid: 'n01440764', words: 'tench, Tinca tinca', children: [], pictures: 4},
	{id: 1000, wnid: 'n03126707', words: 'crane', children: [], pictures: 4},
];

test('the archives of ILSVRC go through whole, with the odd files that are in them', async (t) => {
	const folder = await temporaryFolder(t);
	const leaves = synsets.filter(({children}) => children.length === 0);
	const train: Record<string, (readonly [string, Buffer])[]> = {};
	for (const {wnid, pictures} of leaves) {
		const numbers = mixed(Array.from({length: pictures}, (_, place) => place));
		train[wnid] = await Promise.all(
			numbers.map(async (number) => [`${wnid}_${number}.JPEG`, await randomPicture(random, 'jpeg')] as const),
		);
	}
	// n02105855_2933.JPEG is a PNG, and some are CMYK.
	train.n01440764![1] = ['n01440764_2933.JPEG', await randomPicture(random, 'png')];
	const cmyk = await painted(40, 30, (x) => [x * 6, 90, 10])
		.toColourspace('cmyk')
		.jpeg({quality: 95})
		.toBuffer();
	t.is((await sharp(cmyk).metadata()).space, 'cmyk');
	train.n03126707![2] = ['n03126707_9999.JPEG', cmyk];
	const truth = [1000, 1, 2, 1, 2, 1000, 1];
	const validation: Files = await Promise.all(
		truth.map(
			async (_, place) => [`ILSVRC2012_val_0000000${place + 1}.JPEG`, await randomPicture(random, 'jpeg')] as const,
		),
	);
	const archives = await writeIlsvrc(folder, synsets, train, validation, truth);
	const out = join(folder, 'out');
	const progress: number[][] = [];
	const report = await prepareAt(archives, out, {ilsvrc: true, onProgress: (...now) => progress.push(now)});
	t.is(report.pictures, 19);
	t.is(report.unreadable.size, 0);
	t.deepEqual(progress.at(-1), [19, 19]);
	const data = await ImageFolder.open(out);
	t.deepEqual(data.labels, ['n01440764 tench', 'n02119789 kit fox', 'n03126707 crane']);

	// The same, had somebody unpacked them.
	const named = Object.fromEntries(data.labels.map((label) => [label.slice(0, 9), label]));
	for (const [wnid, files] of Object.entries(train)) {
		for (const [name, bytes] of files)
			await writeFiles(join(folder, 'unpacked/train'), {[`${named[wnid]!}/${name}`]: bytes});
	}
	for (const [place, [name, bytes]] of validation.entries()) {
		const wnid = synsets.find(({id}) => id === truth[place])!.wnid;
		await writeFiles(join(folder, 'unpacked/val'), {[`${named[wnid]!}/${name}`]: bytes});
	}
	t.deepEqual(await contentsOf(out), await contentsOf(join(folder, 'unpacked')));

	await t.throwsAsync(prepareAt(archives.toReversed(), join(folder, 'no'), {ilsvrc: true}), {code: 'ALEXNET_FOLDER'});
	await t.throwsAsync(prepareAt(archives.slice(1), join(folder, 'no'), {ilsvrc: true}), {code: 'ALEXNET_ARGUMENT'});
	const swapped = [archives[1], archives[0], archives[2]];
	await t.throwsAsync(prepareAt(swapped, join(folder, 'no'), {ilsvrc: true}), {
		code: 'ALEXNET_FOLDER',
		message: /ILSVRC2012_val_/,
	});
	await truncate(archives[0], (await readFile(archives[0])).length - 3000);
	await t.throwsAsync(prepareAt(archives, join(folder, 'cut'), {ilsvrc: true}), {
		code: 'ALEXNET_FOLDER',
		message: /train\.tar/,
	});
});

test('structs are read as MATLAB and scipy.io.savemat(do_compression=True) write them', async (t) => {
	const bySciPy = await readMatStructs(await readFile('test/fixtures/synsets.mat'), 'synsets');
	t.deepEqual(
		bySciPy.map(({WNID, words, num_children: children}) => [WNID, words, children]),
		[
			['n02119789', 'kit fox, Vulpes macrotis', [0]],
			['n01440764', 'tench, Tinca tinca', [0]],
			['n00001740', 'entity', [2]],
		],
	);
	const own = await readMatStructs(metaOf(synsets), 'synsets');
	t.deepEqual(
		own.map(({WNID, num_train_images: pictures}) => [WNID, pictures]),
		synsets.map(({wnid, pictures}) => [wnid, [pictures]]),
	);
	await t.throwsAsync(readMatStructs(metaOf(synsets), 'none'), {message: /no array of structs/});
	await t.throwsAsync(readMatStructs(Buffer.alloc(300), 'synsets'), {message: /no MATLAB file/});
	await t.throwsAsync(readMatStructs(metaOf(synsets).subarray(0, 400), 'synsets'));
});

test('stopped by its signal and started again, an archive ends with the same bytes', async (t) => {
	const folder = await temporaryFolder(t);
	await writeTar(join(folder, 'a.tar'), mixed(Object.entries(await randomPictures(seed, ['a', 'b'], 10))));
	await prepareAt(join(folder, 'a.tar'), join(folder, 'alone'));
	const controller = new AbortController();
	const reason = new Error('enough');
	const onProgress = (done: number): void => {
		if (done === 7) controller.abort(reason);
	};
	const out = join(folder, 'stopped');
	await t.throwsAsync(prepareAt(join(folder, 'a.tar'), out, {signal: controller.signal, onProgress}), {is: reason});
	await t.throwsAsync(ImageFolder.open(out), {code: 'ALEXNET_FOLDER', message: /has not come to its end/});
	await t.throwsAsync(prepareAt(join(folder, 'a.tar'), out, {as: 'jpeg'}), {
		code: 'ALEXNET_FOLDER',
		message: /--as raw/,
	});
	await prepareAt(join(folder, 'a.tar'), out);
	t.deepEqual(await filesOf(out), await filesOf(join(folder, 'alone')));
	await writeTar(join(folder, 'a.tar'), Object.entries(await randomPictures(seed + 4, ['a', 'b'], 10)));
	await t.throwsAsync(prepareAt(join(folder, 'a.tar'), out), {code: 'ALEXNET_FOLDER', message: /other pictures/});
});

test('a folder in which pictures are being prepared is refused to others, until it is done', async (t) => {
	const folder = await temporaryFolder(t);
	const [source, out] = [join(folder, 'pictures'), join(folder, 'out')];
	await writeFiles(source, await randomPictures(seed, ['a', 'b'], 6));
	const taken = await takeFolder(out);
	const refusal = {code: 'ALEXNET_FOLDER', message: /being prepared in '.*out' now/};
	await t.throwsAsync(prepareAt(source, out), refusal);
	await taken.close();
	await prepareAt(source, out);
	await (await takeFolder(out)).close(); // given back
});

test('what is no source, and what is no place for it', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, {
		'text.tar': 'This is no archive. '.repeat(100),
		'empty.tar': '',
		'a/b/c.txt': '',
		'used/x': '',
	});
	await writeTar(join(folder, 'flat.tar'), [['a.jpg', 'x']]);
	await writeFiles(join(folder, 'good'), await randomPictures(seed, ['a'], 2));
	for (const name of ['text.tar', 'empty.tar', 'gone.tar', 'flat.tar', 'a', 'gone']) {
		await t.throwsAsync(prepareAt(join(folder, name), join(folder, 'out')), {code: 'ALEXNET_FOLDER'}, name);
	}
	const used = prepareAt(join(folder, 'good'), join(folder, 'used'));
	await t.throwsAsync(used, {code: 'ALEXNET_FOLDER', message: /holds files, but no preparation/});
	await t.throwsAsync(prepareAt([], join(folder, 'out')), {code: 'ALEXNET_ARGUMENT'});
	const two = [join(folder, 'good'), join(folder, 'a')];
	await t.throwsAsync(prepareAt(two, join(folder, 'out')), {code: 'ALEXNET_ARGUMENT'});
	await writeFile(join(folder, 'file'), '');
	await t.throwsAsync(prepareAt(join(folder, 'good'), join(folder, 'file/out')), {code: 'ALEXNET_FOLDER'});
});
