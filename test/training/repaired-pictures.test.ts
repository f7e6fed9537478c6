// Pictures that could not be read when a run began, and can be when it goes on.
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {AlexNet, ImageFolder, type Dataset, type Progress, type TrainReport} from '../../lib/index.ts';
import {tinyNet} from '../helpers/networks.ts';
import {plainPicture, randomColour, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';
import {writeSmallPictures} from '../helpers/small-runs.ts';

const random = randomNumbers(Math.floor(Math.random() * 2 ** 32));

const open = (folder: string): Promise<ImageFolder> =>
	ImageFolder.open(folder, {imageSize: 32, validationFraction: 0.25, seed: 3});

async function smallNet(): Promise<AlexNet> {
	const model = AlexNet.uninitialized({
		architecture: tinyNet(),
		labels: ['blue', 'green', 'red'],
		batchSize: 8,
		seed: 3,
	});
	await model.initialize();
	return model;
}

/** Trains until `count` reports have come, or to the end; with the folder as it is now. */
async function reports(model: AlexNet, folder: string, count = Infinity): Promise<TrainReport[]> {
	const {train, validation} = await open(folder);
	const seen: TrainReport[] = [];
	for await (const report of model.train(train, {validation, epochs: 3})) {
		if (seen.push({...report, imagesPerSecond: 0}) === count) break;
	}
	return seen;
}

/** Paths of two trained on and two held out. */
async function pathsOf(folder: string): Promise<string[]> {
	const some = ({pictures}: Dataset): string[] => [1, pictures.length - 2].map((place) => pictures[place]!.path);
	const {train, validation} = await open(folder);
	return [...some(train), ...some(validation)];
}

async function write(t: ExecutionContext): Promise<{folder: string; bad: string[]}> {
	const folder = join(await temporaryFolder(t), 'pictures');
	await writeSmallPictures(folder, 16);
	const bad = await pathsOf(folder);
	for (const path of bad) await writeFiles('', {[path]: 'no picture'});
	return {folder, bad};
}

const repaired = (): Promise<Buffer> => plainPicture(randomColour(random), 40);

test('pictures repaired before a run goes on stay left out, bit for bit', async (t) => {
	const {folder, bad} = await write(t);
	await using whole = await smallNet();
	const expected = await reports(whole, folder);
	t.is(whole.progress?.pictures.unread?.train.length, 3, 'with the one that is never a picture');
	for (const count of [1, 6]) {
		for (const path of bad) await writeFiles('', {[path]: 'no picture'});
		await using left = await smallNet();
		const before = await reports(left, folder, count);
		const checkpoint = join(folder, '..', `${count}.safetensors`);
		await left.save(checkpoint);
		for (const path of bad) await writeFiles('', {[path]: await repaired()});
		await using loaded = await AlexNet.load(checkpoint);
		t.deepEqual([...before, ...(await reports(loaded, folder))], expected);
		t.deepEqual(await loaded.getParameters(), await whole.getParameters());
		t.deepEqual(loaded.progress, whole.progress);
	}
});

test('one that could be read and is another now ends the run, beside those repaired', async (t) => {
	const {folder, bad} = await write(t);
	await using model = await smallNet();
	await reports(model, folder, 2);
	for (const path of bad) await writeFiles('', {[path]: await repaired()});
	const {train, validation} = await open(folder);
	for (const [part, {pictures}] of [
		['training', train],
		['held-out', validation],
	] as const) {
		const {path} = pictures.find((picture) => !bad.includes(picture.path) && !picture.path.includes('not-a'))!;
		const original = await readFile(path);
		await writeFiles('', {[path]: await repaired()});
		await t.throwsAsync(reports(model, folder), {
			code: 'ALEXNET_FOLDER',
			message: new RegExp(`: some ${part} pictures of '[a-z]+' were replaced`),
		});
		await writeFile(path, original);
	}
	t.true((await reports(model, folder)).length > 0);
});

test('a checkpoint of an earlier version, with the sizes of all pictures, goes on with the same ones', async (t) => {
	const {folder} = await write(t);
	await using model = await smallNet();
	await reports(model, folder, 2);
	const {train, validation} = await open(folder);
	const pictures: Progress['pictures'] = {train: await train.contents(), validation: await validation.contents()};
	model.progress = {...model.progress!, pictures};
	t.true((await reports(model, folder)).length > 0);
});
