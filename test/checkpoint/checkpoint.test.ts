// Checkpoints: what they hold, how they come back, and how bad ones are refused.
import {mkdtemp, readdir, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {Model} from '../../lib/net/model.ts';
import type {RunOptions} from '../../lib/net/options.ts';
import {tinyLabels, tinyModel, tinyPictures} from '../helpers/networks.ts';
import {joined, split, type Header} from '../helpers/safetensors.ts';

let folder = '';
test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-checkpoint-'));
});
test.after.always(async () => {
	await rm(folder, {recursive: true, force: true});
});

const load = (path: string, options: RunOptions = {}): Promise<Model> =>
	loadCheckpoint(path, options, (modelOptions) => new Model(modelOptions));

async function trained(): Promise<Model> {
	const model = await tinyModel({weightDecay: 0.002, momentum: 0.8});
	const {images, labels} = tinyPictures(16, 'checkpoint');
	model.statistics = {...model.statistics, mean: new Float32Array(3072).map((_, index) => 100 + (index % 40))};
	for (let step = 0; step < 3; ++step) await model.trainStep({images, labels});
	return model;
}

test('a loaded model predicts and trains on as the saved one, bit for bit', async (t) => {
	const path = join(folder, 'whole.safetensors');
	await using model = await trained();
	await saveCheckpoint(model, path);
	await using loaded = await load(path);
	const {images, labels} = tinyPictures(16, 'after');
	t.deepEqual(loaded.labels, tinyLabels);
	t.is(loaded.step, 3);
	t.deepEqual(loaded.sgd, model.sgd);
	t.deepEqual(loaded.statistics, model.statistics);
	t.deepEqual(loaded.architecture, model.architecture);
	t.deepEqual(await loaded.predict(images), await model.predict(images));
	for (let step = 0; step < 3; ++step) {
		t.deepEqual(await loaded.trainStep({images, labels}), await model.trainStep({images, labels}));
	}
	t.deepEqual(await loaded.getParameters(), await model.getParameters());
});

test('a file of before the last layer had a rate of its own is read, and means that it has none', async (t) => {
	const path = join(folder, 'older.safetensors');
	await using model = await trained();
	await saveCheckpoint(model, path);
	const {header, data} = split(await readFile(path));
	const {lastLayerLearningRateScale, ...sgd} = JSON.parse(header.__metadata__.sgd!) as Record<string, number>;
	t.is(lastLayerLearningRateScale, 1);
	header.__metadata__.sgd = JSON.stringify(sgd);
	await writeFile(path, joined(JSON.stringify(header), data));
	await using loaded = await load(path);
	t.deepEqual(loaded.sgd, model.sgd);
});

test('another precision may load it', async (t) => {
	const path = join(folder, 'precision.safetensors');
	await using model = await trained();
	await saveCheckpoint(model, path);
	await using loaded = await load(path, {precision: 'bf16'});
	t.is(loaded.precision, 'bf16');
	const {images} = tinyPictures(4, 'bf16');
	const [exact, rounded] = [await model.predict(images), await loaded.predict(images)];
	exact.forEach((value, index) => t.true(Math.abs(value - rounded[index]!) < 0.03));
});

test('the file is plain safetensors with names and order of PyTorch', async (t) => {
	const path = join(folder, 'format.safetensors');
	await using model = await trained();
	await saveCheckpoint(model, path);
	const bytes = await readFile(path);
	const headerBytes = Number(bytes.readBigUInt64LE());
	const header = JSON.parse(bytes.subarray(8, 8 + headerBytes).toString()) as Record<
		string,
		{dtype: string; shape: number[]; data_offsets: [number, number]}
	>;
	t.is((8 + headerBytes) % 8, 0);
	t.deepEqual(header['conv2.weight']?.shape, [16, 8, 3, 3]);
	t.deepEqual(header['momentum.fc6.weight']?.shape, header['fc6.weight']?.shape);
	t.deepEqual(header.mean?.shape, [32, 32, 3]);
	t.deepEqual(header['pca.vectors']?.shape, [3, 3]);
	const [start, end] = header['conv2.weight']!.data_offsets;
	const stored = new Float32Array(
		bytes
			.subarray(8 + headerBytes)
			.buffer.slice(bytes.byteOffset + 8 + headerBytes + start, bytes.byteOffset + 8 + headerBytes + end),
	);
	t.deepEqual(stored, (await model.getParameters()).get('conv2.weight'));
	const largest = Math.max(
		...Object.values(header).map((entry) => (entry.data_offsets as number[] | undefined)?.[1] ?? 0),
	);
	t.is(bytes.length, 8 + headerBytes + largest);
});

test('a file cut short, or of another kind, is refused by name', async (t) => {
	await using model = await trained();
	const path = join(folder, 'bad.safetensors');
	await saveCheckpoint(model, path);
	const whole = await readFile(path);
	for (const size of [0, 7, 100, whole.length - 1]) {
		await writeFile(path, whole);
		await truncate(path, size);
		await t.throwsAsync(load(path), {code: 'ALEXNET_CHECKPOINT', message: /bad.safetensors/}, `${size} bytes`);
	}
	await writeFile(path, 'not a checkpoint, but long enough to have a header that makes no sense');
	await t.throwsAsync(load(path), {code: 'ALEXNET_CHECKPOINT'});
	await t.throwsAsync(load(join(folder, 'missing.safetensors')), {code: 'ALEXNET_CHECKPOINT', message: /missing/});
	await writeFile(path, joined('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', Buffer.alloc(4)));
	await t.throwsAsync(load(path), {code: 'ALEXNET_CHECKPOINT', message: /no checkpoint of this package/});
});

test('a checkpoint that cannot be written leaves the old one and nothing else', async (t) => {
	await using model = await trained();
	const own = await mkdtemp(join(folder, 'full-'));
	const path = join(own, 'last.safetensors');
	await saveCheckpoint(model, path);
	const before = await readFile(path);
	const missing = join(own, 'no such folder', 'last.safetensors');
	await t.throwsAsync(saveCheckpoint(model, missing), {code: 'ALEXNET_CHECKPOINT', message: /untouched/});
	const disposed = await trained();
	await disposed.dispose();
	await t.throwsAsync(saveCheckpoint(disposed, path), {code: 'ALEXNET_DISPOSED'});
	t.deepEqual(await readFile(path), before);
	t.deepEqual(await readdir(own), ['last.safetensors']);
});

/** Writes a checkpoint again with another header. */
async function change(path: string, edit: (header: Header) => void): Promise<void> {
	const {header, data} = split(await readFile(path));
	edit(header);
	await writeFile(path, joined(JSON.stringify(header), data));
}

test('a checkpoint of a newer format, of another architecture, or damaged, is refused', async (t) => {
	await using model = await trained();
	const path = join(folder, 'changed.safetensors');
	const refuse = async (edit: (metadata: Record<string, string>) => void, message: RegExp): Promise<void> => {
		await saveCheckpoint(model, path);
		await change(path, ({__metadata__}) => edit(__metadata__));
		await t.throwsAsync(load(path), {code: 'ALEXNET_CHECKPOINT', message});
	};
	await refuse((metadata) => (metadata.formatVersion = '2'), /has format 2; this version reads up to 1\. Update/);
	await refuse((metadata) => delete metadata.architecture, /does not say its architecture/);
	await refuse((metadata) => (metadata.sgd = '{"learningRate"'), /changed\.safetensors is damaged/);
	const other = JSON.stringify(model.architecture).replace('"kernels":16,"size":3', '"kernels":32,"size":3');
	await refuse(
		(metadata) => (metadata.architecture = other),
		/expected conv2\.weight as F32 \[32, 8, 3, 3\], found F32 \[16, 8, 3, 3\]/,
	);
	await saveCheckpoint(model, path);
	await change(path, ({__metadata__}) => delete __metadata__.hasStatistics);
	await using loaded = await load(path);
	t.true(loaded.hasStatistics, 'a file of the first version does not say');
});

test('weights that are no finite numbers do not take the place of others', async (t) => {
	await using model = await trained();
	const path = join(folder, 'finite.safetensors');
	await saveCheckpoint(model, path);
	const before = await readFile(path);
	const parameter = model.parameters.find(({name}) => name === 'fc6.weight')!;
	for (const value of [NaN, Infinity, -Infinity]) {
		const values = await parameter.read('weights');
		values[values.length - 1] = value;
		parameter.write('weights', values);
		await t.throwsAsync(saveCheckpoint(model, path), {code: 'ALEXNET_LOSS', message: /fc6\.weight .*as it was/});
		values[values.length - 1] = 1;
		parameter.write('weights', values);
	}
	t.deepEqual(await readFile(path), before);
	await saveCheckpoint(model, path);
});
