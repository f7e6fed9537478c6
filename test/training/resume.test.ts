// A run that was left and goes on ends with the bits of one that was not.
import {readFile, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {Dataset} from '../../lib/data/dataset.ts';
import {PictureError} from '../../lib/data/decode.ts';
import {listDevices} from '../../lib/device/device.ts';
import {describeArithmetic, environmentChanges} from '../../lib/training/environment.ts';
import {Model} from '../../lib/net/model.ts';
import type {Precision} from '../../lib/net/options.ts';
import type {PictureContents} from '../../lib/data/picture-source.ts';
import {train, type TrainOptions, type TrainReport} from '../../lib/training/trainer.ts';
import {hasTf32, testOn} from '../helpers/devices.ts';
import {meetingNet, tinyLabels, tinyModel, tinyPictures, tinySource} from '../helpers/networks.ts';
import {temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const bytesEach = 32 * 32 * 3;

interface DatasetSettings {
	bad?: readonly number[];
	strict?: boolean;
	folder?: string;
}

/** Pictures in memory, by number; those named are refused, the others' decoder does what it is told. */
function dataset(count: number, {bad = [], strict = false, folder = 'pictures'}: DatasetSettings = {}): Dataset {
	const {images, labels} = tinyPictures(count, 'resume');
	return new Dataset({
		labels: tinyLabels,
		pictures: Array.from(labels, (label, index) => ({path: join(folder, tinyLabels[label]!, `${index}`), label})),
		imageSize: 32,
		strict,
		decode: async (path) => {
			const index = Number(path.split('/').at(-1));
			await Promise.resolve();
			if (bad.includes(index)) throw new PictureError(path, 'it is bad', 'Replace it.');
			return images.slice(index * bytesEach, (index + 1) * bytesEach);
		},
	});
}

const unreadable = [3, 17, 40, 41];
const options = (): TrainOptions => ({epochs: 4, patience: 1, validation: tinySource(21, 'held out')});

/** Without statistics: a run takes them, and finds then which pictures cannot be read. */
async function freshModel(devices: readonly string[] = ['cpu:0'], precision: Precision = 'fp32'): Promise<Model> {
	const net = {architecture: meetingNet(), labels: tinyLabels, devices, precision};
	const model = new Model({...net, batchSize: 16, learningRate: 0.003, seed: 7});
	await model.initialize();
	return model;
}

/** Trains until `count` reports have come, or to the end. */
async function run(model: Model, count = Infinity, bad = unreadable): Promise<TrainReport[]> {
	const reports: TrainReport[] = [];
	for await (const report of train(model, dataset(70, {bad}), options())) {
		reports.push({...report, imagesPerSecond: 0});
		if (reports.length === count) break;
	}
	return reports;
}

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const placements: readonly {devices: readonly string[]; precision: Precision; counts: readonly number[]}[] = [
	{devices: ['cpu:0'], precision: 'fp32', counts: [1, 4, 5, 6, 12, 19]},
	{devices: ['cpu:0'], precision: 'bf16', counts: [6]},
	{devices: ['cpu:0', 'cpu:1'], precision: 'fp32', counts: [6, 12]},
	...(boards[0] ? onBoards(boards[0], boards[1] ?? boards[0]) : []),
];

function onBoards(first: string, second: string): typeof placements {
	return [
		{devices: [first], precision: 'fp32', counts: [12]},
		...(hasTf32(first) ? [{devices: [first], precision: 'tf32', counts: [5]} as const] : []),
		{devices: [first, second], precision: 'bf16', counts: [6]},
	];
}

for (const {devices, precision, counts} of placements) {
	testOn(
		devices,
		`at whatever report a run is left, saved and loaded, it goes on bit for bit [${devices.join(', ')}] (${precision})`,
		async (t) => {
			const folder = await temporaryFolder(t);
			await using whole = await freshModel(devices, precision);
			const expected = await run(whole);
			t.is(expected.length, 4 * 5, '66 readable pictures are four batches of 16, and an epoch has a report');
			t.true(expected.every((report) => report.type === 'epoch' || report.stepsPerEpoch === 4));
			await saveCheckpoint(whole, join(folder, 'whole'));
			for (const count of counts) {
				const path = join(folder, `${count}`);
				await using left = await freshModel(devices, precision);
				const before = await run(left, count);
				await saveCheckpoint(left, path);
				await using loaded = await loadCheckpoint(
					path,
					{devices, precision},
					(modelOptions) => new Model(modelOptions),
				);
				// Pictures that can be read by now stay left out, as they would have.
				const after = await run(loaded, Infinity, []);
				t.deepEqual([...before, ...after], expected, `left after ${count} reports`);
				await saveCheckpoint(loaded, path);
				t.true((await readFile(path)).equals(await readFile(join(folder, 'whole'))), `left after ${count} reports`);
				t.deepEqual([...before, ...(await run(left))], expected, 'and so does the model that was left');
			}
			t.deepEqual(await run(whole), [], 'nothing is left to do');
		},
	);
}

test('a run goes on with its own pictures only, and another is begun on purpose', async (t) => {
	await using model = await tinyModel();
	const collect = async (source: Dataset, more: TrainOptions = {}): Promise<number> => {
		let reports = 0;
		for await (const report of train(model, source, {epochs: 3, ...more})) reports += report.type === 'step' ? 1 : 0;
		return reports;
	};
	t.is(await collect(dataset(64), {epochs: 1}), 4);
	await t.throwsAsync(collect(dataset(63)), {
		code: 'ALEXNET_FOLDER',
		message: /there are 21 training pictures of 'red' instead of 22\. Put the folder back/,
	});
	const renamed = dataset(64).pictures.map(({path, label}) => ({path: path.replace('/5', '/five'), label}));
	await t.throwsAsync(collect(new Dataset({labels: tinyLabels, pictures: renamed, imageSize: 32})), {
		code: 'ALEXNET_FOLDER',
		message: /the training pictures of 'blue' have other names/,
	});
	await t.throwsAsync(collect(dataset(64), {validation: tinySource(21, 'new')}), {code: 'ALEXNET_FOLDER'});
	model.progress = undefined;
	t.is(await collect(dataset(63), {epochs: 2}), 6, 'a new run counts its epochs from 1');
});

test('a picture that was replaced under its name ends a run, one that was written again does not', async (t) => {
	const folder = await temporaryFolder(t);
	const [training, heldOut] = ['training', 'held out'].map((part) => dataset(64, {folder: join(folder, part)}));
	const paths = [training!, heldOut!].flatMap(({pictures}) => pictures.map(({path}) => path));
	await writeFiles('', Object.fromEntries(paths.map((path, index) => [path, 'x'.repeat(index)])));
	await using model = await tinyModel();
	const steps = async (epochs: number): Promise<number> => {
		const reports: TrainReport[] = [];
		for await (const report of train(model, training!, {epochs, validation: heldOut})) reports.push(report);
		return reports.filter(({type}) => type === 'step').length;
	};
	t.is(await steps(1), 4);

	const [red, blue] = [training!.pictures[3]!.path, heldOut!.pictures[5]!.path];
	await writeFile(red, await readFile(red));
	await utimes(red, 1, 1);
	t.is(await steps(2), 4, 'the same bytes at another time');

	await writeFile(red, 'another picture');
	await writeFile(blue, 'and yet another one');
	await t.throwsAsync(steps(3), {
		code: 'ALEXNET_FOLDER',
		message:
			/: some training pictures of 'red' were replaced: their sizes have changed; some held-out pictures of 'blue' were replaced: their sizes have changed\. Put the folder back/,
	});

	const {pictures, ...progress} = model.progress!;
	const withoutSizes = (part: PictureContents): PictureContents =>
		part.map(({pictures: count, digest}) => ({pictures: count, digest}));
	const known = {train: withoutSizes(pictures.train), validation: withoutSizes(pictures.validation)};
	model.progress = {...progress, pictures: known};
	t.is(await steps(3), 4, 'a checkpoint of an earlier version does not know the sizes');
});

test('statistics that were set are kept, and those of a fresh net are taken', async (t) => {
	await using given = await tinyModel();
	for await (const report of train(given, dataset(32))) if (report.step > 0) break;
	t.is(given.statistics.mean[0], 120);
	await using fresh = await freshModel();
	t.false(fresh.hasStatistics);
	for await (const report of train(fresh, dataset(32))) if (report.step > 0) break;
	t.deepEqual(fresh.statistics, await dataset(32).statistics());
});

test('a decoder that crashes costs the picture, not the run; in a strict dataset it ends it', async (t) => {
	const {pictures, labels} = dataset(20);
	const broken = (strict: boolean): Dataset =>
		new Dataset({
			labels,
			pictures,
			imageSize: 32,
			strict,
			decode: (path) => {
				if (path.endsWith('/7')) throw new TypeError('the worker is gone');
				if (path.endsWith('/8')) return Promise.reject(new RangeError('out of bounds'));
				return Promise.resolve(new Uint8Array(path.endsWith('/9') ? 5 : bytesEach));
			},
		});
	const lenient = broken(false);
	let seen = 0;
	for await (const {indices} of lenient.batches({batchSize: 4})) seen += indices.length;
	t.is(seen, 17);
	t.deepEqual(lenient.unreadablePlaces, [7, 8, 9]);
	t.deepEqual(
		[...lenient.unreadable.values()],
		[
			'the decoder failed (the worker is gone)',
			'the decoder failed (out of bounds)',
			'the decoder failed (it gave 5 bytes instead of 3072)',
		],
	);
	const strict = (async () => {
		for await (const batch of broken(true).batches({batchSize: 4})) t.is(batch.indices.length, 4);
	})();
	await t.throwsAsync(strict, {code: 'ALEXNET_PICTURE', message: /7': the decoder failed \(the worker is gone\)/});
});

test('what has changed around a run is told', (t) => {
	const before = {sharp: '1', devices: 'cpu:0, oneDNN 2.6.3, AVX2, 2 threads'};
	t.deepEqual(environmentChanges(before, before), []);
	t.deepEqual(environmentChanges(before, {...before, sharp: '2'}), ['sharp was 1 and is 2']);
	t.deepEqual(environmentChanges({}, {sharp: '2'}), ['sharp was not known and is 2']);
});

test('a GPU with another number of multiprocessors, another name or kernels compiled elsewhere is told from its like', (t) => {
	const a100 = {
		...({id: 'cuda:0', kind: 'cuda', name: 'NVIDIA A100', memoryBytes: 2 ** 33, nativeBfloat16: true} as const),
		...{computeCapability: '8.0', multiprocessors: 108},
	};
	const release = '7.5, 8.0, 8.6, 8.9, 9.0, 10.0, 12.0 and PTX 8.0, 12.0';
	t.is(describeArithmetic(a100, release), 'cuda:0, NVIDIA A100, 108 multiprocessors, code for 8.0');
	const others = [
		describeArithmetic({...a100, multiprocessors: 98}, release),
		describeArithmetic({...a100, name: 'NVIDIA A30'}, release),
		describeArithmetic(a100, 'PTX 7.5, 8.0'),
		describeArithmetic({...a100, computeCapability: '8.6'}, release),
	];
	t.is(new Set([...others, describeArithmetic(a100, release)]).size, 5);
	// Code runs on newer GPUs of its major version; on others the driver compiles PTX.
	const code = (computeCapability: string): string | undefined =>
		describeArithmetic({...a100, computeCapability}, release)
			.split(', ')
			.at(-1);
	t.deepEqual(['7.5', '8.7', '8.9', '9.0', '11.0', '12.1'].map(code), [
		'code for 7.5',
		'code for 8.6',
		'code for 8.9',
		'code for 9.0',
		'PTX compiled for 11.0',
		'code for 12.0',
	]);
});
