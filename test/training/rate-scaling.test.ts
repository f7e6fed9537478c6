// Learning rates that follow the batch, and how a run gets to them.
import {join} from 'node:path';
import test from 'ava';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {Model} from '../../lib/net/model.ts';
import {Random} from '../../lib/selftest/random.ts';
import {scaleOf} from '../../lib/training/rate-scaling.ts';
import {Schedule} from '../../lib/training/schedule.ts';
import {train, type TrainOptions, type TrainReport} from '../../lib/training/trainer.ts';
import {localGroups} from '../helpers/local-group.ts';
import {tinyModel, tinySource} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

const random = new Random('rate scaling');
const learningRate = 0.001;

/** Three steps an epoch. */
const source = tinySource(50, 'rate scaling');

async function run(model: Model, options: TrainOptions, count = Infinity): Promise<TrainReport[]> {
	const reports: TrainReport[] = [];
	for await (const report of train(model, source, options)) {
		reports.push({...report, imagesPerSecond: 0});
		if (reports.length === count) break;
	}
	return reports;
}

const ratesOf = (reports: readonly TrainReport[], type: TrainReport['type']): number[] =>
	reports.filter((report) => report.type === type).map((report) => report.learningRate);

test('a batch k times as large takes k times the rate, its square root, or the same', (t) => {
	const [batchSize, referenceBatchSize] = [1 + random.integer(4096), 1 + random.integer(512)];
	const k = batchSize / referenceBatchSize;
	t.is(scaleOf({learningRateScaling: 'linear', referenceBatchSize}, batchSize), k);
	t.is(scaleOf({learningRateScaling: 'sqrt', referenceBatchSize}, batchSize), Math.sqrt(k));
	t.is(scaleOf({learningRateScaling: 'none'}, batchSize), 1);
	t.is(scaleOf({}, batchSize), 1);
	t.is(scaleOf({learningRateScaling: 'linear'}, 8192), 64, "the paper's rate is meant for 128");
});

test('a warm-up goes up by the same amount at each step, and the schedule divides what it has come to', async (t) => {
	await using model = await tinyModel({learningRate});
	const scaling = {learningRateScaling: 'linear', referenceBatchSize: 4, warmUpEpochs: 2} as const;
	const reports = await run(model, {epochs: 4, divideAt: [2, 3], ...scaling});
	const expected = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4, 4].map((scale) => learningRate * scale);
	const divided = [0.1, 0.1, 0.1, 0.01, 0.01, 0.01].map((share) => learningRate * 4 * share);
	// Of the seventh on the schedule has divided: 2 epochs are 6 steps.
	const steps = [...expected.slice(0, 6), ...divided];
	for (const [index, rate] of ratesOf(reports, 'step').entries()) {
		t.true(Math.abs(rate / steps[index]! - 1) < 1e-14, `step ${index + 1}: ${rate} instead of ${steps[index]}`);
	}
	t.is(ratesOf(reports, 'step').length, steps.length);
	const epochs = [2.5, 4, 0.4, 0.04].map((scale) => scale * learningRate);
	for (const [index, rate] of ratesOf(reports, 'epoch').entries()) {
		t.true(Math.abs(rate / epochs[index]! - 1) < 1e-14, `epoch ${index + 1}: ${rate}`);
	}
	t.true(Math.abs(model.sgd.learningRate / (learningRate / 100) - 1) < 1e-14, 'the rate that is saved is not scaled');
});

test('the scaled rate is the one that weights are updated with', async (t) => {
	const scaling = {learningRateScaling: 'sqrt', referenceBatchSize: 4} as const; // 16 pictures: twice the rate
	await using scaled = await tinyModel({learningRate});
	await using twice = await tinyModel({learningRate: 2 * learningRate});
	const [one, two] = [await run(scaled, {epochs: 2, ...scaling}), await run(twice, {epochs: 2})];
	t.deepEqual(one, two);
	t.deepEqual(await scaled.getParameters(), await twice.getParameters());
});

test('a run that is left within its warm-up, saved and loaded goes on bit for bit', async (t) => {
	const folder = await temporaryFolder(t);
	const warmUpEpochs = 1 + random.integer(150) / 100;
	const options: TrainOptions = {
		...{epochs: 4, patience: 1, validation: tinySource(21, 'held out')},
		...{learningRateScaling: 'linear', referenceBatchSize: 7, warmUpEpochs},
	};
	await using whole = await tinyModel({learningRate});
	const expected = await run(whole, options);
	for (const count of [1, 2, 3, 4, 5, 7, 8, 11]) {
		await using left = await tinyModel({learningRate});
		const before = await run(left, options, count);
		await saveCheckpoint(left, join(folder, 'left'));
		await using loaded = await loadCheckpoint(join(folder, 'left'), {}, (all) => new Model(all));
		t.deepEqual([...before, ...(await run(loaded, options))], expected, `left after ${count} reports`);
		t.deepEqual(await loaded.getParameters(), await whole.getParameters());
	}
});

test('ranks go by the batch of all', async (t) => {
	const scaling = {learningRateScaling: 'linear', referenceBatchSize: 8, warmUpEpochs: 1} as const;
	const models = await Promise.all(localGroups(2).map((group) => tinyModel({group, threads: 1, learningRate})));
	await using alone = await tinyModel({threads: 1, learningRate});
	const [mine, ...ranks] = await Promise.all([alone, ...models].map((model) => run(model, {epochs: 2, ...scaling})));
	for (const reports of ranks) t.deepEqual(ratesOf(reports, 'step'), ratesOf(mine!, 'step'));
	t.is(ratesOf(mine!, 'step').at(-1), 2 * learningRate);
	await Promise.all(models.map((model) => model.dispose()));
});

test('validation divides no rate that is still going up', (t) => {
	const errors = [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6];
	const divided = (warmUpEpochs: number): number[] => {
		const schedule = new Schedule({patience: 2, warmUpEpochs});
		return errors.flatMap((error, index) => (schedule.divides(index + 1, error) ? [index + 1] : []));
	};
	t.deepEqual(divided(0), [3, 5, 7]);
	t.deepEqual(divided(3.5), [5, 7], 'waiting begins with the epoch in which the warm-up ends');
});

for (const [options, message] of [
	[{warmUpEpochs: 2}, /warmUpEpochs is 2, but there is no other rate to go to: .* Choose 'linear' or 'sqrt'/],
	[{learningRateScaling: 'none', referenceBatchSize: 64}, /referenceBatchSize is 64, but the rate does not go by it/],
	[{learningRateScaling: 'linear', warmUpEpochs: 5, epochs: 4}, /warmUpEpochs is 5, more than all 4 epochs/],
	[{learningRateScaling: 'sqrt', warmUpEpochs: 3, divideAt: [4, 2]}, /divideAt names epoch 2, within the warm-up/],
] as const) {
	test(`refused: ${message.source}`, async (t) => {
		await using model = await tinyModel();
		t.throws(() => train(model, source, options), {code: 'ALEXNET_ARGUMENT', message});
	});
}
