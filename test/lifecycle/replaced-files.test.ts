// Files that are put in the place of others, where the file system or somebody else has other plans.
import {mkdir, open, readdir, readFile, rename, rm, writeFile, type FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {replaceFile} from '../../lib/base/files.ts';
import {AlexNet, RunFolder, trainRun, type PictureSource} from '../../lib/index.ts';
import {tinyLabels, tinyNet, tinySource} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences} from '../helpers/small-runs.ts';

const source = tinySource(48, String(Math.random()));
const stepsPerEpoch = 3;

/** The same pictures; `act` is called before the batch of this number, counted through all epochs. */
function sourceThat(act: () => Promise<void>, number: number): PictureSource {
	let batches = 0;
	return {
		...source,
		async *batches(options) {
			for await (const batch of source.batches(options)) {
				if (++batches === number) await act();
				yield batch;
			}
		},
	};
}

/** Trains for two epochs, saving after each step, in a new folder or one to go on in. */
async function runIn(path: string, train: PictureSource = source, resumes = false): Promise<void> {
	const net = {architecture: tinyNet(), labels: tinyLabels, batchSize: 48 / stepsPerEpoch, seed: 5};
	await using model = resumes ? await AlexNet.load(join(path, 'last.safetensors')) : AlexNet.uninitialized(net);
	if (!resumes) await model.initialize();
	const run = resumes ? await RunFolder.resume(path, {}, model) : await RunFolder.create(path, {});
	await trainRun({run, model, source: train, validation: tinySource(9, 'held out'), epochs: 2, saveEvery: {steps: 1}});
}

/** Until the test ends, folders cannot be synced. */
async function failFolderSyncs(t: ExecutionContext, folder: string, code: string): Promise<void> {
	const handle = await open(folder, 'r');
	const prototype = Object.getPrototypeOf(handle) as FileHandle;
	await handle.close();
	const sync = Reflect.get<FileHandle, 'sync'>(prototype, 'sync');
	t.teardown(() => (prototype.sync = sync));
	prototype.sync = async function (this: FileHandle) {
		if (!(await this.stat()).isDirectory()) return sync.call(this);
		throw Object.assign(new Error(`${code}: it failed, fsync`), {code});
	};
}

for (const code of ['EINVAL', 'ENOTSUP', 'EPERM']) {
	test.serial(`a run goes on where syncing its folder is refused with ${code}`, async (t) => {
		const folder = await temporaryFolder(t);
		const [alone, run] = [join(folder, 'alone'), join(folder, 'run')];
		await runIn(alone);
		await failFolderSyncs(t, folder, code);
		await runIn(run);
		t.deepEqual(await differences(alone, run), []);
	});
}

test.serial('where a folder cannot be synced, the error says that the new file is there', async (t) => {
	const folder = await temporaryFolder(t);
	const path = join(folder, 'run');
	await using model = AlexNet.uninitialized({architecture: tinyNet(), labels: tinyLabels});
	await model.initialize();
	const run = await RunFolder.create(path, {});
	await run.save(model);
	model.step = 1;
	await failFolderSyncs(t, folder, 'EIO');
	const said = (name: string): RegExp =>
		new RegExp(`${name} is written, but a power cut may undo that, as its folder cannot be synced: EIO: [^.]*\\.$`);
	await t.throwsAsync(run.save(model), {code: 'ALEXNET_CHECKPOINT', message: said('last\\.safetensors')});
	await t.throwsAsync(run.markBest(), {code: 'ALEXNET_RUN', message: said('best\\.safetensors')});
	await run.close();
	for (const name of ['last', 'best']) {
		await using loaded = await AlexNet.load(join(path, `${name}.safetensors`));
		t.is(loaded.step, 1);
	}
	await t.throwsAsync(RunFolder.create(join(folder, 'other'), {}), {
		code: 'ALEXNET_RUN',
		message: said('config\\.json'),
	});
});

test.serial('a run whose folder is moved ends with an error and can go on where it was moved to', async (t) => {
	const folder = await temporaryFolder(t);
	const [alone, run, moved] = ['alone', 'run', 'moved'].map((name) => join(folder, name)) as [string, string, string];
	await runIn(alone);
	const others = [
		['ENOENT', () => Promise.resolve()],
		['ENOTDIR', () => writeFile(run, 'a file in its place')],
	] as const;
	for (const [code, takePlace] of others) {
		const move = async (): Promise<void> => {
			await rename(run, moved);
			await takePlace();
		};
		await t.throwsAsync(runIn(run, sourceThat(move, stepsPerEpoch + 2)), {
			code: 'ALEXNET_CHECKPOINT',
			message: new RegExp(`^Could not write .*last\\.safetensors: ${code}: .* untouched\\.$`),
		});
		await runIn(moved, source, true);
		t.deepEqual(await differences(alone, moved), []);
		for (const path of [run, moved]) await rm(path, {recursive: true, force: true});
	}
});

test.serial('a run whose folder is removed ends with an error and does not make another', async (t) => {
	const folder = await temporaryFolder(t);
	const run = join(folder, 'run');
	const remove = (): Promise<void> => rm(run, {recursive: true});
	await t.throwsAsync(runIn(run, sourceThat(remove, 2)), {code: 'ALEXNET_CHECKPOINT', message: /ENOENT/});
	t.deepEqual(await readdir(folder), []);
});

test.serial('a file whose place a folder has taken is not replaced, and nothing is left beside it', async (t) => {
	const folder = await temporaryFolder(t);
	const run = join(folder, 'run');
	const takePlace = async (): Promise<void> => {
		await rm(join(run, 'last.safetensors'));
		await mkdir(join(run, 'last.safetensors'));
	};
	await t.throwsAsync(runIn(run, sourceThat(takePlace, 2)), {code: 'ALEXNET_CHECKPOINT', message: /EISDIR/});
	const names = ['config.json', 'filters.png', 'kernels.json', 'last.safetensors', 'metrics.jsonl'];
	t.deepEqual((await readdir(run)).sort(), names);
});

test.serial('fifty files at once are replaced with one listener and no warning', async (t) => {
	const folder = await temporaryFolder(t);
	const warnings: string[] = [];
	const warn = ({message}: Error): void => void warnings.push(message);
	process.on('warning', warn);
	t.teardown(() => process.off('warning', warn));
	const before = process.listenerCount('exit');
	const during: number[] = [];
	const names = Array.from({length: 50}, (_, index) => `${index % 40}`);
	await Promise.all(
		names.map((name) =>
			replaceFile(join(folder, name), async (temporary) => {
				await writeFile(temporary, name);
				during.push(process.listenerCount('exit'));
			}),
		),
	);
	t.deepEqual(new Set(during), new Set([before + 1]));
	t.is(process.listenerCount('exit'), before);
	t.deepEqual(warnings, []);
	t.deepEqual((await readdir(folder)).sort(), [...new Set(names)].sort());
	for (const name of names) t.is(await readFile(join(folder, name), 'utf8'), name);
});
