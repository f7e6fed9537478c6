// Whether evaluate knows a folder again that a net was trained on.
import {cp, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openAsTrained, type TrainedModel} from '../../cli/run-pictures.ts';
import {ImageFolder} from '../../lib/index.ts';
import {temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const composed = 'caf\u00e9';

/** Files of three classes of several sizes; no picture is read. */
async function writeRun(t: ExecutionContext): Promise<string> {
	const folder = join(await temporaryFolder(t), 'pictures');
	for (const [name, size] of Object.entries({ape: 12, bee: 25, [composed]: 7})) {
		await writeFiles(folder, Object.fromEntries(Array.from({length: size}, (_, n) => [`${name}/${n}.jpg`, 'x'])));
	}
	return folder;
}

async function trainedOn(folder: string, seed: number, validationFraction: number): Promise<TrainedModel> {
	const {labels, train, validation} = await ImageFolder.open(folder, {seed, validationFraction});
	const pictures = {train: await train.contents(), validation: await validation.contents()};
	return {labels, seed, progress: {pictures}};
}

test("the run's folder is divided as in the run, wherever it lies now", async (t) => {
	const folder = await writeRun(t);
	const elsewhere = join(folder, '..', 'moved');
	await cp(folder, elsewhere, {recursive: true});
	for (const [seed, fraction] of [
		[5, 0.1],
		[6, 0.3],
		[0, 0],
	] as const) {
		const model = await trainedOn(folder, seed, fraction);
		const {data, isOfRun, trainedOn: counts} = await openAsTrained(elsewhere, model, {}, undefined);
		t.true(isOfRun);
		t.deepEqual(await data.validation.contents(), model.progress?.pictures.validation);
		t.deepEqual(counts, {train: data.train.size, validation: 0});
	}
	const drawnByDefault = {...(await trainedOn(folder, 0, 0.2)), seed: 9};
	t.true((await openAsTrained(folder, drawnByDefault, {}, undefined)).isOfRun);
});

test('a class may be gone, and in the other Unicode form', async (t) => {
	const folder = await writeRun(t);
	const model = await trainedOn(folder, 5, 0.2);
	await rename(join(folder, 'caf\u00e9'), join(folder, 'cafe\u0301'));
	await rename(join(folder, 'ape'), join(folder, '..', 'ape'));
	const {data, isOfRun} = await openAsTrained(folder, model, {}, undefined);
	t.true(isOfRun);
	t.deepEqual(data.labels, ['bee', 'caf\u00e9']);
});

test('pictures are known by their names, whatever has become of them', async (t) => {
	const folder = await writeRun(t);
	const model = await trainedOn(folder, 5, 0.2);
	await writeFile(join(folder, 'ape', '3.jpg'), 'restored');
	t.true((await openAsTrained(folder, model, {}, undefined)).isOfRun);
});

test('what contradicts the run is refused, what repeats it is not', async (t) => {
	const folder = await writeRun(t);
	const model = await trainedOn(folder, 5, 0.2);
	for (const given of [{validationFraction: 0.4}, {seed: 6}, {validationFraction: 0.2, seed: 0}]) {
		await t.throwsAsync(openAsTrained(folder, model, given, undefined), {
			code: 'ALEXNET_ARGUMENT',
			message: /contradicts the run, which trained on 36 pictures of .* and held out 8 others\. Leave both out/,
		});
	}
	for (const given of [{seed: 5}, {validationFraction: 0.2}, {validationFraction: 0.2, seed: 5}]) {
		t.true((await openAsTrained(folder, model, given, undefined)).isOfRun);
	}
});

test('parts of the run, changed classes and foreign folders', async (t) => {
	const folder = await writeRun(t);
	const parts = join(folder, '..', 'parts');
	await cp(folder, join(parts, 'train'), {recursive: true});
	await writeFiles(parts, {'val/ape/new.jpg': 'x', 'val/bee/new.jpg': 'x', 'val/caf\u00e9/new.jpg': 'x'});
	const model = await trainedOn(parts, 5, 0.1);
	const open = (path: string): ReturnType<typeof openAsTrained> => openAsTrained(path, model, {}, undefined);
	t.like(await open(parts), {isOfRun: true, trainedOn: {train: 44, validation: 0}});
	t.like(await open(join(parts, 'train')), {isOfRun: true, trainedOn: {train: 44, validation: 0}});
	t.like(await open(join(parts, 'val')), {isOfRun: true, trainedOn: {train: 0, validation: 0}});
	await writeFiles(parts, {'train/ape/more.jpg': 'x'});
	t.like(await open(join(parts, 'train')), {isOfRun: false, trainedOn: {train: 32, validation: 0}});
	const foreign = join(folder, '..', 'foreign');
	await writeFiles(foreign, {'ape/a.jpg': 'x', 'bee/b.jpg': 'x'});
	t.like(await open(foreign), {isOfRun: false, trainedOn: {train: 0, validation: 0}});
	const untold = {labels: model.labels, seed: 5, progress: undefined};
	t.false((await openAsTrained(folder, untold, {}, undefined)).isOfRun);
});
