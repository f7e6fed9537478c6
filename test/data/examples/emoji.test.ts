import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {layOutEmoji} from '../../../lib/data/examples/emoji.ts';
import {examplePictures} from '../../../lib/data/examples/index.ts';
import {ImageFolder} from '../../../lib/data/image-folder.ts';
import {temporaryFolder, writeFiles} from '../../helpers/pictures.ts';

const sizes = {'Food & Drink': 30, Flags: 24, Component: 5};
/** Flags that look like another one to one artist: a chain of three and a pair. */
const lookalikes: Record<string, Record<string, string>> = {
	google: {'flags-1': 'flags-0', 'flags-11': 'flags-10'},
	twitter: {'flags-2': 'flags-1'},
};

const nameOf = (category: string, i: number): string => `${category.split(' ')[0]!.toLowerCase()}-${i}`;

/** The two packages in small: every picture another, but for the look-alikes. */
async function fakePackages(folder: string): Promise<void> {
	const emoji = Object.entries(sizes).flatMap(([category, count]) =>
		Array.from({length: count}, (_, i) => ({
			category,
			unified: nameOf(category, i),
			image: `${nameOf(category, i)}.png`,
		})),
	);
	for (const [artist, same] of Object.entries(lookalikes)) {
		const files: Record<string, string> = {'emoji.json': JSON.stringify(emoji)};
		for (const {unified, image} of emoji) files[`img/${artist}/64/${image}`] = `${artist} ${same[unified] ?? unified}`;
		await writeFiles(join(folder, 'node_modules', `emoji-datasource-${artist}`), files);
	}
}

test('emoji are laid out by category and held out whole', async (t) => {
	const root = await temporaryFolder(t);
	await fakePackages(root);
	const folder = join(root, 'pictures');
	await layOutEmoji({packages: join(root, 'node_modules'), folder});
	for (const [category, count] of [
		['Food & Drink', 5],
		['Flags', 4],
	] as const) {
		const [train, validation] = await Promise.all(
			['train', 'val'].map((part) => readdir(join(folder, part, category))),
		);
		const emojiIn = (names: readonly string[]): Set<string> => new Set(names.map((name) => name.replace(/^\w+?-/, '')));
		t.is(emojiIn(validation!).size, count, '17 % of the category, rounded');
		for (const names of [train!, validation!]) t.is(names.length, 2 * emojiIn(names).size, 'both artists on one side');
		t.is(train!.length + validation!.length, 2 * sizes[category]);
		t.true([...emojiIn(train!)].every((name) => !emojiIn(validation!).has(name)));
	}
	const validationFlags = await readdir(join(folder, 'val', 'Flags'));
	const sides = (ids: readonly number[]): Set<boolean> =>
		new Set(ids.map((id) => validationFlags.includes(`google-flags-${id}.png`)));
	t.is(sides([0, 1, 2]).size, 1, 'flags that share pictures stay together');
	t.is(sides([10, 11]).size, 1);
	t.deepEqual((await readdir(join(folder, 'train'))).sort(), ['Flags', 'Food & Drink'], 'no skin tones');
	t.is(
		await readFile(join(folder, 'train', 'Flags', 'google-flags-1.png'), 'utf8').catch(() => 'held out'),
		sides([1]).has(true) ? 'held out' : 'google flags-0',
	);
});

test('pictures are there whole or not at all, and fetched once', async (t) => {
	const root = await temporaryFolder(t);
	const [cacheFolder, source] = [join(root, 'cache'), join(root, 'node_modules')];
	await fakePackages(root);
	const lost = join(source, 'emoji-datasource-twitter/img/twitter/64/flags-20.png');
	const kept = await readFile(lost);
	await rm(lost);
	await t.throwsAsync(examplePictures('emoji', {cacheFolder, source}), {code: 'ALEXNET_FOLDER', message: /flags-20/});
	t.deepEqual(await readdir(cacheFolder), [], 'nothing half made is left');

	await writeFile(lost, kept);
	await mkdir(join(cacheFolder, 'emoji-partial-999999999-abcdef/scratch'), {recursive: true}); // A process that was killed.
	const first = await examplePictures('emoji', {cacheFolder, source});
	const folder = join(cacheFolder, 'emoji');
	t.deepEqual(first, {folder, train: 90, validation: 18, classes: 2, largestClass: 10 / 18});
	t.deepEqual(await readdir(cacheFolder), ['emoji']);
	t.deepEqual((await ImageFolder.open(folder)).labels, ['Flags', 'Food & Drink']);

	await rm(join(folder, 'train/Flags'), {recursive: true});
	t.deepEqual(await examplePictures('emoji', {cacheFolder, source}), first, 'a damaged folder is made again');
	await rm(source, {recursive: true});
	t.deepEqual(await examplePictures('emoji', {cacheFolder, source}), first, 'a whole one is not');
});

test('a list of emoji that would write elsewhere is refused', async (t) => {
	const root = await temporaryFolder(t);
	const [cacheFolder, source] = [join(root, 'cache'), join(root, 'node_modules')];
	for (const [image, category] of [
		['../../../../escaped.png', 'Flags'],
		['flags.png', '..'],
	]) {
		const list = JSON.stringify([{unified: 'a', image, category}]);
		await writeFiles(source, {'emoji-datasource-google/emoji.json': list});
		const refusal = {code: 'ALEXNET_FOLDER', message: /emoji\.json.*must be the name of a file/};
		await t.throwsAsync(examplePictures('emoji', {cacheFolder, source}), refusal);
	}
	await writeFiles(source, {'emoji-datasource-google/emoji.json': '{'});
	await t.throwsAsync(examplePictures('emoji', {cacheFolder, source}), {code: 'ALEXNET_FOLDER'});
	t.deepEqual(await readdir(cacheFolder), []);
});

test.serial('where npm is missing, the error says what to do', async (t) => {
	const cacheFolder = await temporaryFolder(t);
	const path = process.env.PATH;
	process.env.PATH = cacheFolder;
	t.teardown(() => (process.env.PATH = path));
	await t.throwsAsync(examplePictures('emoji', {cacheFolder}), {
		code: 'ALEXNET_FOLDER',
		message: /could not be downloaded.*npm was not found.*Check the network/s,
	});
	t.deepEqual(await readdir(cacheFolder), []);
});
