// Run folders from TypeScript, by what users can import.
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {AlexNet, RunFolder, runFiles, trainRun, type TrainReport} from '../../lib/index.ts';
import type {PictureSource, RecordedReport, TrainRunOptions} from '../../lib/index.ts';
import {tinyLabels, tinyNet, tinySource} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences, reportsOf} from '../helpers/small-runs.ts';

const pictures = {source: tinySource(48, String(Math.random())), validation: tinySource(9, String(Math.random()))};
const stepsPerEpoch = 3;

async function smallNet(): Promise<AlexNet> {
	const net = {architecture: tinyNet(), labels: tinyLabels, batchSize: 48 / stepsPerEpoch, seed: 5};
	const model = AlexNet.uninitialized(net);
	await model.initialize();
	return model;
}

/** Trains in a new folder. */
async function newRun(path: string, options: Omit<TrainRunOptions, 'run' | 'model' | 'source'>): Promise<number> {
	await using model = await smallNet();
	const run = await RunFolder.create(path, {made: 'by a test'});
	const epochs = await trainRun({run, model, ...pictures, ...options});
	return epochs.length;
}

/** Goes on with a run from its last checkpoint. */
async function resumedRun(path: string, options: Omit<TrainRunOptions, 'run' | 'model' | 'source'>): Promise<number> {
	const {config, hasCheckpoint} = await RunFolder.read(path);
	if (!hasCheckpoint) throw new Error('There is no checkpoint.');
	await using model = await AlexNet.load(join(path, runFiles.last));
	const run = await RunFolder.resume(path, config, model);
	const epochs = await trainRun({run, model, ...pictures, ...options});
	return epochs.length;
}

test('a run leaves its reports, its last and its best net', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const seen: RecordedReport[] = [];
	t.is(await newRun(path, {epochs: 2, onReport: (report) => seen.push(report)}), 2);
	const names = Object.values(runFiles).filter((name) => name !== runFiles.report);
	t.deepEqual((await readdir(path)).sort(), names.sort());
	t.deepEqual(await reportsOf(path), seen);
	t.deepEqual(
		seen.map(({type}) => type),
		['step', 'step', 'step', 'epoch', 'step', 'step', 'step', 'epoch'],
	);
	t.deepEqual((await RunFolder.read(path)).config, {made: 'by a test'});
	const best = seen.findLast((report) => report.type === 'epoch' && report.best);
	await using last = await AlexNet.load(join(path, runFiles.last));
	await using kept = await AlexNet.load(join(path, runFiles.best));
	t.is(last.step, 2 * stepsPerEpoch);
	t.is(kept.step, best?.step ?? NaN);
});

test('a report is told when what it asks for is saved', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	await using model = await smallNet();
	const run = await RunFolder.create(path, {});
	const saved: number[] = [];
	const onReport = (): unknown => saved.push(run.savedStep);
	await trainRun({run, model, ...pictures, epochs: 1, saveEvery: {steps: 2}, onReport});
	t.deepEqual(saved, [0, 2, 2, 3]);
});

test('an epoch that took a while is saved before its validation', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	await using model = await smallNet();
	const run = await RunFolder.create(path, {});
	const away = new Error('the process might as well have been killed');
	const source: PictureSource = {
		...pictures.source,
		async *batches(options) {
			for await (const batch of pictures.source.batches(options)) {
				await sleep(30);
				yield batch;
			}
		},
	};
	const validation: PictureSource = {
		...pictures.validation,
		batches: () => {
			throw away;
		},
	};
	// 200 ms, which three steps do not take; a tenth of them each takes.
	const saveEvery = {minutes: 0.2 / 60};
	t.is(await t.throwsAsync(trainRun({run, model, source, validation, epochs: 1, saveEvery})), away);
	t.is(run.savedStep, stepsPerEpoch);
	t.is(await resumedRun(path, {epochs: 2}), 2);
});

test('a run that is interrupted goes on to the same end', async (t) => {
	const folder = await temporaryFolder(t);
	const [whole, stopped] = [join(folder, 'whole'), join(folder, 'stopped')];
	await newRun(whole, {epochs: 2});
	const leaving = new AbortController();
	const reason = new Error('enough');
	const onReport = (report: TrainReport): void => {
		if (report.step === stepsPerEpoch + 1 && report.type === 'step') leaving.abort(reason);
	};
	const stops: unknown[] = [];
	const onStop = (told: unknown): unknown => stops.push(told);
	const error = await t.throwsAsync(newRun(stopped, {epochs: 2, signal: leaving.signal, onReport, onStop}));
	t.is(error, reason);
	t.deepEqual(stops, [reason]);
	t.is(await resumedRun(stopped, {epochs: 2}), 2);
	t.deepEqual(await differences(whole, stopped), []);
});

test('what a callback throws ends the run, whose folder can be opened then', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const mistake = new Error('a mistake of the caller');
	const onReport = (report: TrainReport): void => {
		if (report.step === stepsPerEpoch + 2) throw mistake;
	};
	t.is(await t.throwsAsync(newRun(path, {epochs: 2, onReport})), mistake);
	t.is(await resumedRun(path, {epochs: 2}), 2);
});

for (const isTrained of [false, true]) {
	const net = isTrained ? 'a net that was trained elsewhere' : 'a new net';
	test(`a run of ${net} that fails before its first step leaves no folder; one that is stopped leaves what there is`, async (t) => {
		const folder = await temporaryFolder(t);
		const path = join(folder, 'runs', 'first');
		await using model = await smallNet();
		if (isTrained) for await (const report of model.train(pictures.source, {epochs: 1})) t.truthy(report);
		model.progress = undefined;
		const away: PictureSource = {
			...pictures.source,
			statistics: () => Promise.reject(new Error('away')),
			batches: () => {
				throw new Error('away');
			},
		};
		const failing = trainRun({run: await RunFolder.create(path, {}), model, source: away});
		await t.throwsAsync(failing, {message: 'away'});
		t.deepEqual(await readdir(folder), []);
		const signal = AbortSignal.abort(new Error('enough'));
		const stopped = trainRun({run: await RunFolder.create(path, {}), model, ...pictures, signal});
		t.is(await t.throwsAsync(stopped), signal.reason);
		t.is((await readdir(path)).includes(runFiles.last), isTrained);
	});
}

test('a loop of its own keeps a run folder', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	await using model = await smallNet();
	{
		await using run = await RunFolder.create(path, {});
		for await (const report of model.train(pictures.source, {epochs: 1, validation: pictures.validation})) {
			await run.record(report);
			if (report.type !== 'epoch') continue;
			await run.save(model);
			if (report.best) await run.markBest();
		}
		t.is(run.savedStep, stepsPerEpoch);
		await t.throwsAsync(RunFolder.resume(path, {}, model), {code: 'ALEXNET_RUN', message: /still under way/});
	}
	const [config, last, best] = await Promise.all(
		(['config', 'last', 'best'] as const).map((name) => readFile(join(path, runFiles[name]))),
	);
	t.is(String(config), '{}\n');
	t.deepEqual(last, best);
	t.is(await resumedRun(path, {epochs: 2}), 2);
});

test('a run that is closed takes no report', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const run = await RunFolder.create(path, {});
	await run.close();
	await run.close();
	await using model = await smallNet();
	const error = await t.throwsAsync(trainRun({run, model, ...pictures, epochs: 1}), {code: 'ALEXNET_RUN'});
	t.regex(error.message, /closed/);
});
