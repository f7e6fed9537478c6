// A storage that fails for a while, or for good, is not taken for bad pictures.
import {mkdir, rename, rm, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Dataset, type DatasetOptions} from '../../lib/data/dataset.ts';
import {decodePicture} from '../../lib/data/decode.ts';
import {AlexNet, RunFolder, trainRun} from '../../lib/index.ts';
import {tinyLabels, tinyNet, tinyPictures} from '../helpers/networks.ts';
import {plainPicture, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';
import {differences} from '../helpers/small-runs.ts';

const side = 8;
const count = 40;
const seed = Math.floor(Math.random() * 2 ** 32);

/** Pictures in folders `drive/0`, `drive/1` and `drive/2`, read as `options` say. */
async function onDrive(t: ExecutionContext, options: Partial<DatasetOptions> = {}) {
	const folder = await temporaryFolder(t);
	const drive = join(folder, 'drive');
	const bytes = await plainPicture([seed % 256, 90, 20], side);
	const names = Array.from({length: count}, (_, i) => `${i % 3}/${i}.png`);
	await writeFiles(drive, Object.fromEntries(names.map((name) => [name, bytes])));
	const pictures = names.map((name) => ({path: join(drive, name), label: 0}));
	const dataset = new Dataset({labels: ['a'], pictures, imageSize: side, retrySeconds: 0, ...options});
	return {folder, drive, dataset};
}

async function countOf(dataset: Dataset, signal?: AbortSignal): Promise<number> {
	let pictures = 0;
	for await (const {indices} of dataset.batches({batchSize: 4, signal})) pictures += indices.length;
	return pictures;
}

const systemError = (code: string): Error =>
	Object.assign(new Error(`${code}: it failed, read`), {code, syscall: 'read'});

test('a drive that comes back is waited for', async (t) => {
	let [attempts, away] = [0, ''];
	const {drive, dataset} = await onDrive(t, {
		retrySeconds: 60,
		decode: async (path, imageSize) => {
			if (++attempts === 10) await rename(drive, (away = `${drive}-away`));
			if (attempts === 30) await rename(away, drive);
			return decodePicture(path, imageSize);
		},
	});
	t.is(await countOf(dataset), count);
	t.true(attempts > count);
	t.is(dataset.unreadable.size, 0);
});

test('a drive that stays away ends the batches; what follows finds every picture readable', async (t) => {
	const {drive, dataset} = await onDrive(t);
	await rename(drive, `${drive}-away`);
	const failure = {
		code: 'ALEXNET_FOLDER',
		message: /'.*drive.0.0\.png' cannot be had \(.*no such file.*go on, with a run from the last/,
	};
	await t.throwsAsync(countOf(dataset), failure);
	await t.throwsAsync(dataset.statistics(), failure);
	t.is(dataset.unreadable.size, 0);
	await mkdir(join(drive, '0'), {recursive: true}); // What another drive would be mounted on.
	await t.throwsAsync(countOf(dataset), failure);
	await rm(drive, {recursive: true});
	await rename(`${drive}-away`, drive);
	t.is(await countOf(dataset), count);
});

test('one file that is gone is left out and named; a link says what its target says', async (t) => {
	const {folder, drive, dataset} = await onDrive(t);
	await writeFiles(folder, {'elsewhere/7.png': await plainPicture([1, 2, 3], side), 'elsewhere/other.txt': ''});
	for (const gone of ['0/0.png', '1/7.png']) await rm(join(drive, gone));
	await symlink('../../elsewhere/7.png', join(drive, '1/7.png'));
	t.is(await countOf(dataset), count - 1);
	t.deepEqual([...dataset.unreadable], [[join(drive, '0/0.png'), 'there is no such file']]);
	await rm(join(folder, 'elsewhere/7.png'));
	t.is(await countOf(dataset), count - 2);
	const again = new Dataset({labels: ['a'], pictures: dataset.pictures, imageSize: side, retrySeconds: 0});
	await rm(join(folder, 'elsewhere'), {recursive: true});
	await t.throwsAsync(countOf(again), {code: 'ALEXNET_FOLDER', message: /1.7\.png' cannot be had/});
});

for (const code of [
	'EIO',
	'ESTALE',
	'ENOTCONN',
	'EHOSTDOWN',
	'ETIMEDOUT',
	'EMFILE',
	'ENFILE',
	'ENOMEM',
	'EACCES',
	'EBUSY',
]) {
	test(`${code} is tried again, then ends the batches and marks nothing`, async (t) => {
		const failing = Math.floor(randomNumbers(seed)() * count);
		let attempts = 0;
		let isOver = false;
		const {dataset} = await onDrive(t, {
			retrySeconds: 0.2,
			decode: (path, imageSize) => {
				if (isOver || !path.endsWith(`/${failing}.png`)) return decodePicture(path, imageSize);
				attempts += 1;
				return Promise.reject(systemError(code));
			},
		});
		const message = new RegExp(
			`/${failing}\\.png' cannot be had \\(${code}: it failed, read, tried again for 0\\.2 s\\)`,
		);
		await t.throwsAsync(countOf(dataset), {code: 'ALEXNET_FOLDER', message});
		t.is(attempts, 3, 'at once, after 0.1 and after 0.2 seconds');
		t.is(dataset.unreadable.size, 0);
		isOver = true;
		t.is(await countOf(dataset), count);
	});
}

test('a signal, and a consumer that leaves, end the waiting', async (t) => {
	const stop = new AbortController();
	let attempts = 0;
	const {dataset} = await onDrive(t, {
		retrySeconds: 1e6,
		decode: (path, imageSize) => {
			if (path.endsWith('/0.png')) return decodePicture(path, imageSize);
			if (++attempts === 20) stop.abort(new Error('enough'));
			return Promise.reject(systemError('EIO'));
		},
	});
	await t.throwsAsync(countOf(dataset, stop.signal), {message: 'enough'});
	const batches = dataset.batches({batchSize: 1, ahead: 3});
	t.is((await batches.next()).value?.indices[0], 0);
	await batches.return();
	t.is(dataset.unreadable.size, 0);
});

test('a run whose pictures are away is saved at its last step and goes on bit for bit', async (t) => {
	const folder = await temporaryFolder(t);
	const {images, labels} = tinyPictures(60, `storage ${seed}`);
	const bytesEach = images.length / labels.length;
	/** Pictures in memory, of which the decoder reads `readable` before the drive goes away. */
	const datasetOf = (readable: number): Dataset =>
		new Dataset({
			labels: tinyLabels,
			pictures: Array.from(labels, (label, index) => ({path: `${index}`, label})),
			...{imageSize: 32, retrySeconds: 0},
			decode: (path) => {
				if (--readable < 0) return Promise.reject(systemError('ESTALE'));
				return Promise.resolve(images.slice(Number(path) * bytesEach, (Number(path) + 1) * bytesEach));
			},
		});
	const training = {epochs: 3, augment: 'paper'} as const;
	const started = async (path: string, train: Dataset): Promise<void> => {
		await using model = AlexNet.uninitialized({architecture: tinyNet(3), labels: tinyLabels, batchSize: 16, seed: 3});
		await model.initialize();
		const run = await RunFolder.create(path, {});
		await trainRun({run, model, source: train, ...training});
	};
	const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
	await started(whole, datasetOf(Infinity));
	// Once for the statistics, once for the first epoch, and some of the second.
	await t.throwsAsync(started(broken, datasetOf(60 + 60 + 41)), {code: 'ALEXNET_FOLDER', message: /ESTALE/});
	await using model = await AlexNet.load(join(broken, 'last.safetensors'));
	t.true(model.step > 3 && model.step < 3 + 3, `step ${model.step} of the second epoch, which is not at its end`);
	const run = await RunFolder.resume(broken, {}, model);
	await trainRun({run, model, source: datasetOf(Infinity), ...training});
	t.deepEqual(await differences(whole, broken), []);
});
