// What a run keeps of its pictures, to know them again.
import fs from 'node:fs';
import {cp, rm, utimes, writeFile} from 'node:fs/promises';
import {syncBuiltinESMExports} from 'node:module';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {writtenSince} from '../../lib/data/contents.ts';
import {Dataset, ImageFolder, type PictureContents} from '../../lib/index.ts';
import {temporaryFolder, writeFiles} from '../helpers/pictures.ts';

/** Enough files of each class to be asked for in many goes; no two of a class have the same size. */
const each = 50;

async function writeClasses(t: ExecutionContext): Promise<string> {
	const folder = join(await temporaryFolder(t), 'pictures');
	for (const name of ['ape', 'bee']) {
		const files = Array.from({length: each}, (_, size) => [`${name}/${size}.jpg`, 'x'.repeat(size)]);
		await writeFiles(folder, Object.fromEntries(files) as Record<string, string>);
	}
	return folder;
}

async function contentsOf(folder: string): Promise<PictureContents> {
	return (await ImageFolder.open(folder, {validationFraction: 0})).train.contents();
}

test('contents are the same of a copy that was written at another time', async (t) => {
	const folder = await writeClasses(t);
	const copy = join(folder, '..', 'copy');
	await cp(folder, copy, {recursive: true});
	await utimes(join(copy, 'ape', '7.jpg'), 1, 1);
	const contents = await contentsOf(folder);
	t.deepEqual(
		contents.map(({pictures}) => pictures),
		[each, each],
	);
	t.deepEqual(await contentsOf(copy), contents);
});

test('what was written after a moment is found, and what is not there is not', async (t) => {
	const folder = await writeClasses(t);
	const [old, fresh, gone] = ['ape/7.jpg', 'bee/9.jpg', 'bee/3.jpg'].map((name) => join(folder, name));
	const {pictures} = (await ImageFolder.open(folder, {validationFraction: 0})).train;
	for (const {path} of pictures) await utimes(path, 1000, 1000);
	await utimes(old!, 1, 1);
	await utimes(fresh!, 2000, 2000);
	await rm(gone!);
	t.deepEqual(await writtenSince(pictures, 1_500_000), [fresh]);
	t.deepEqual(await writtenSince(pictures, 2_000_000), []);
	t.is((await writtenSince(pictures, 0)).length, pictures.length - 1);
});

const replacements: Readonly<Record<string, (folder: string) => Promise<void>>> = {
	'a file of another size': (folder) => writeFile(join(folder, '7.jpg'), 'x'.repeat(each)),
	'an empty file': (folder) => writeFile(join(folder, '7.jpg'), ''),
	'two files exchanged': async (folder) => {
		await writeFile(join(folder, '7.jpg'), 'x'.repeat(8));
		await writeFile(join(folder, '8.jpg'), 'x'.repeat(7));
	},
};
for (const [what, replace] of Object.entries(replacements)) {
	test(`contents tell of ${what} under the old names, in its class alone`, async (t) => {
		const folder = await writeClasses(t);
		const [ape, bee] = await contentsOf(folder);
		await replace(join(folder, 'bee'));
		const [sameApe, otherBee] = await contentsOf(folder);
		t.deepEqual(sameApe, ape);
		t.not(otherBee?.sizes, bee?.sizes);
		t.deepEqual({...otherBee, sizes: bee?.sizes}, {...bee});
	});
}

test('sizes of pictures that a run does without do not count, in any class', async (t) => {
	const folder = await writeClasses(t);
	const {train} = await ImageFolder.open(folder, {validationFraction: 0});
	const places = ['ape/7.jpg', 'bee/0.jpg', 'bee/49.jpg'].map((name) =>
		train.pictures.findIndex(({path}) => path === join(folder, name)),
	);
	const [all, some] = [await train.contents(), await train.contents(places)];
	await writeFiles(folder, {'ape/7.jpg': 'repaired', 'bee/0.jpg': 'repaired'});
	await rm(join(folder, 'bee/49.jpg'));
	t.deepEqual(await train.contents(places), some);
	t.notDeepEqual(await train.contents(), all);
	await writeFiles(folder, {'bee/8.jpg': 'replaced'.repeat(2)});
	t.notDeepEqual(await train.contents(places), some);
	await t.throwsAsync(train.contents(7 as never), {code: 'ALEXNET_ARGUMENT'});
});

test('a file that is gone is no reason to fail', async (t) => {
	const folder = await writeClasses(t);
	const {train} = await ImageFolder.open(folder, {validationFraction: 0});
	const [ape, bee] = await train.contents();
	await rm(join(folder, 'bee', '0.jpg'));
	const [sameApe, otherBee] = await train.contents();
	t.deepEqual(sameApe, ape);
	t.truthy(bee?.sizes);
	t.is(otherBee?.sizes, undefined, 'nothing is known of them');
	t.is(otherBee?.digest, bee?.digest);
});

test('paths that are no files have no sizes: their decoder may know better', async (t) => {
	const folder = await writeClasses(t);
	const paths = [join(folder, 'none/7.jpg'), join(folder, 'ape/7.jpg/7.jpg')];
	const pictures = paths.map((path) => ({path, label: 0}));
	const [only] = await new Dataset({labels: ['ape'], pictures}).contents();
	t.is(only?.sizes, undefined);
	t.is(only?.pictures, 2);
});

test('a storage that fails is no file that is gone: sizes are not done without', async (t) => {
	const folder = await writeClasses(t);
	const failing = join(folder, 'bee', '7.jpg');
	const {stat} = fs.promises;
	t.teardown(() => {
		fs.promises.stat = stat;
		syncBuiltinESMExports();
	});
	const error = Object.assign(new Error('EIO: i/o error, stat'), {code: 'EIO', syscall: 'stat'});
	fs.promises.stat = (async (path: string) => (path === failing ? Promise.reject(error) : stat(path))) as typeof stat;
	syncBuiltinESMExports();
	await t.throwsAsync(contentsOf(folder), {code: 'ALEXNET_FOLDER', message: /7\.jpg' cannot be had \(EIO: i.o error/});
});
