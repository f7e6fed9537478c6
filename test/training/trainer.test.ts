// Training from a source of pictures: reports, schedule, endings.
import test from 'ava';
import {evaluate} from '../../lib/training/evaluate.ts';
import type {Batch, BatchOptions} from '../../lib/data/picture-source.ts';
import type {Progress} from '../../lib/net/progress.ts';
import {first, rank} from '../../lib/training/ranking.ts';
import {Schedule} from '../../lib/training/schedule.ts';
import {train, type TrainReport} from '../../lib/training/trainer.ts';
import {afterEpoch, newProgress} from '../../lib/training/training-state.ts';
import {tinyLabels, tinyModel, tinySource} from '../helpers/networks.ts';

async function collect(reports: AsyncIterable<TrainReport>): Promise<TrainReport[]> {
	const all: TrainReport[] = [];
	for await (const report of reports) all.push(report);
	return all;
}

test('steps, epochs, validation', async (t) => {
	await using model = await tinyModel();
	const options = {epochs: 3, validation: tinySource(21, 'validation')};
	const reports = await collect(train(model, tinySource(55, 'training'), options));
	const steps = reports.filter((report) => report.type === 'step');
	const epochs = reports.filter((report) => report.type === 'epoch');
	t.is(steps.length, 9, '55 pictures are three batches of 16; the last 7 are left out');
	t.deepEqual(
		steps.map(({step, epoch, stepOfEpoch, stepsPerEpoch}) => [step, epoch, stepOfEpoch, stepsPerEpoch]),
		steps.map((_, index) => [index + 1, Math.floor(index / 3) + 1, (index % 3) + 1, 3]),
	);
	t.deepEqual(
		epochs.map(({epoch}) => epoch),
		[1, 2, 3],
	);
	for (const {validation, imagesPerSecond} of epochs) {
		t.is(validation?.pictures, 21, 'evaluation keeps the partial batch');
		t.true(imagesPerSecond > 0);
	}
	t.true(epochs.at(-1)!.loss < epochs[0]!.loss);
	t.is(model.statistics.mean[0], 120);
});

test('evaluation agrees with predictions', async (t) => {
	await using model = await tinyModel();
	const source = tinySource(20, 'evaluate');
	const result = await evaluate(model, source);
	let [loss, right] = [0, 0];
	for await (const {images, labels} of source.batches({batchSize: 20})) {
		const probabilities = await model.predict(images);
		labels.forEach((label, row) => {
			const values = probabilities.subarray(row * 3, row * 3 + 3);
			loss -= Math.log(values[label]!) / 20;
			if (values.indexOf(Math.max(...values)) === label) right += 1 / 20;
		});
	}
	t.true(Math.abs(result.loss - loss) < 1e-6);
	t.true(Math.abs(result.top1 - right) < 1e-6);
	t.is(result.top5, 1, 'three classes are all among the best five');
	t.is(result.pictures, 20);
});

test('evaluation tells each class, the largest one and what a class is taken for', async (t) => {
	await using model = await tinyModel();
	const source = tinySource(20, 'classes');
	const {classes, top1, largestShare, pictures} = await evaluate(model, source);
	const taken = tinyLabels.map(() => tinyLabels.map(() => 0));
	for await (const {images, labels} of source.batches({batchSize: 20})) {
		const probabilities = await model.predict(images);
		labels.forEach((label, row) => {
			const values = probabilities.subarray(row * 3, row * 3 + 3);
			taken[label]![values.indexOf(Math.max(...values))]! += 1;
		});
	}
	t.deepEqual(
		classes.map(({label, pictures: each, correct}) => [label, each, correct]),
		tinyLabels.map((name, label) => [name, label < 2 ? 7 : 6, taken[label]![label]]),
	);
	classes.forEach(({takenFor}, label) => {
		const wrong = taken[label]!.map((number, other) => (other === label ? 0 : number));
		const most = Math.max(...wrong);
		t.deepEqual(takenFor, most > 0 ? {label: tinyLabels[wrong.indexOf(most)]!, pictures: most} : undefined);
	});
	t.is(largestShare, 7 / 20);
	t.is(top1, classes.reduce((sum, {correct}) => sum + correct, 0) / pictures);
});

test('a source to evaluate may have fewer classes, in any order and Unicode form', async (t) => {
	await using model = await tinyModel({labels: ['red', 'caf\u00e9', 'blue']});
	const all = tinySource(30, 'subset');
	const whole = await evaluate(model, {...all, labels: ['red', 'cafe\u0301', 'blue']});
	const order = Array.from({length: 30}, (_, index) => index).filter((index) => index % 3 > 0);
	const fewer = {
		...all,
		labels: ['blue', 'cafe\u0301'],
		size: order.length,
		async *batches(options: BatchOptions): AsyncGenerator<Batch> {
			for await (const batch of all.batches({...options, batchSize: 30})) {
				const rows = order.map((index) => batch.images.slice(index * 3072, (index + 1) * 3072));
				const labels = Int32Array.from(order, (index) => (batch.labels[index] === 2 ? 0 : 1));
				yield {images: Buffer.concat(rows), labels, indices: Int32Array.from(order)};
			}
		},
	};
	const part = await evaluate(model, fewer);
	t.deepEqual(part.classes.slice(1), whole.classes.slice(1));
	t.deepEqual(part.classes[0], {label: 'red', pictures: 0, correct: 0});
	t.is(part.pictures, 20);
});

test("a label that is none of the source's classes is refused, and counts for none", async (t) => {
	await using model = await tinyModel();
	const all = tinySource(20, 'wrong label');
	for (const wrong of [-1, 3, 2 ** 30]) {
		const source = {
			...all,
			async *batches(options: BatchOptions): AsyncGenerator<Batch> {
				for await (const batch of all.batches(options)) {
					const labels = batch.labels.map((label, row) => (batch.indices[row] === 17 ? wrong : label));
					yield {...batch, labels};
				}
			},
		};
		await t.throwsAsync(evaluate(model, source), {
			code: 'ALEXNET_LABEL',
			message: `The label of picture 17 is ${wrong}; it must be an integer from 0 to 2.`,
		});
	}
});

test('where a probability is NaN, nothing is right', (t) => {
	for (const values of [Float32Array.of(0.5, NaN, 0.1), Float32Array.of(NaN, NaN, NaN)]) {
		for (let label = 0; label < 3; ++label) t.is(rank(values, label), 3);
		t.is(first(values), undefined);
	}
	t.is(first(Float32Array.of(0.2, 0.4, 0.4)), 1);
	t.is(rank(Float32Array.of(0.2, 0.4, 0.4), 2), 1);
});

test('break ends after the current step', async (t) => {
	await using model = await tinyModel();
	for await (const report of train(model, tinySource(64, 'break'))) if (report.step === 2) break;
	t.is(model.step, 2);
	await model.synchronize();
	t.is(model.step, 2);
});

test('a signal ends with its reason, after whole steps', async (t) => {
	await using model = await tinyModel();
	const controller = new AbortController();
	const reason = new Error('enough');
	const run = async (): Promise<void> => {
		for await (const report of train(model, tinySource(64, 'abort'), {signal: controller.signal})) {
			if (report.step === 3) controller.abort(reason);
		}
	};
	t.is(await t.throwsAsync(run()), reason);
	t.is(model.step, 3);
	const aborted = train(model, tinySource(64, 'abort'), {signal: AbortSignal.abort(reason)});
	t.is(await t.throwsAsync(collect(aborted)), reason);
	t.is(model.step, 3);
});

test('the learning rate is divided at listed epochs', async (t) => {
	await using model = await tinyModel({learningRate: 0.01});
	const reports = await collect(train(model, tinySource(16, 'divide'), {epochs: 4, divideAt: [1, 3]}));
	const rates = reports.filter(({type}) => type === 'epoch').map(({learningRate}) => learningRate);
	t.deepEqual(rates, [0.01, 0.001, 0.001, 0.0001]);
});

test('the learning rate is divided when validation stops improving, three times at most', (t) => {
	const schedule = new Schedule({patience: 2});
	const errors = [0.5, 0.4, 0.4, 0.41, 0.39, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4];
	const divided = errors.flatMap((error, index) => (schedule.divides(index + 1, error) ? [index + 1] : []));
	t.deepEqual(divided, [4, 7, 9]);
	t.false(new Schedule({}).divides(1, undefined));
});

test('what cannot be trained on', async (t) => {
	await using model = await tinyModel();
	const refuse = async (run: Promise<unknown>, code: string, message: RegExp): Promise<void> => {
		await t.throwsAsync(run, {code, message});
	};
	await refuse(
		collect(train(model, tinySource(9, 'few'))),
		'ALEXNET_ARGUMENT',
		/9 pictures, fewer than one batch of 16/,
	);
	const others = {...tinySource(32, 'labels'), labels: ['a', 'b', 'c']};
	await refuse(collect(train(model, others)), 'ALEXNET_LABEL', /red, green, blue.*a, b, c/);
	await refuse(evaluate(model, others), 'ALEXNET_LABEL', /unknown to the model: a, b, c\. Classes may be missing/);
	t.throws(() => train(model, tinySource(32, 'epochs'), {epochs: 0}), {code: 'ALEXNET_ARGUMENT', message: /epochs/});
	t.is(tinyLabels.length, 3);
});

test('an epoch whose loss is ten times what guessing gives has diverged, and is never the best', async (t) => {
	await using model = await tinyModel();
	const chance = Math.log(tinyLabels.length);
	const source = tinySource(64, 'diverge');
	const learned = await collect(train(model, source, {epochs: 2}));
	t.true(learned.every(({diverged}) => !diverged));
	const bestOf = (): Progress['best'] => model.progress?.best;
	const best = bestOf();
	t.truthy(best);
	// All that it says is wrong now, and said with far too much certainty.
	const values = await model.getParameters();
	values.set(
		'fc8.weight',
		values.get('fc8.weight')!.map((value) => value * -1e3),
	);
	await model.setParameters(values);
	model.sgd = {...model.sgd, learningRate: 0};
	const reports = await collect(train(model, source, {epochs: 3}));
	const [epoch] = reports.filter((report) => report.type === 'epoch');
	t.true(epoch!.loss > 10 * chance, `${epoch!.loss}`);
	t.like(epoch, {epoch: 3, diverged: true, best: false});
	t.true(reports.every(({diverged}) => diverged));
	t.deepEqual(bestOf(), best);
	model.progress = undefined;
	const fresh = await collect(train(model, source, {epochs: 1}));
	t.like(fresh.at(-1), {type: 'epoch', diverged: true, best: false});
	t.is(bestOf(), undefined);
});

test('so has one whose loss on held-out pictures is', (t) => {
	const progress = newProgress({train: [], validation: []}, {}, []);
	const epoch = {...progress.epoch, steps: 4, loss: 4};
	const end = (loss: number): ReturnType<typeof afterEpoch> =>
		afterEpoch(
			{...progress, epoch},
			{
				schedule: new Schedule({}),
				step: 4,
				classes: 3,
				evaluation: {loss, top1: 0.4, top5: 1, pictures: 10, largestShare: 0.5},
			},
		);
	const limit = 10 * Math.log(3);
	t.like(end(limit * 0.99), {diverged: false, progress: {best: {epoch: 1}}});
	t.like(end(limit * 1.01), {diverged: true, progress: {epochs: 1}});
	t.false('best' in end(limit * 1.01).progress);
});

test('a loss that is no number ends the training', async (t) => {
	await using model = await tinyModel({learningRate: 1e6});
	await t.throwsAsync(collect(train(model, tinySource(64, 'explode'), {epochs: 20})), {
		code: 'ALEXNET_LOSS',
		message: /first that is not finite is (conv[12]|lrn1|pool1|fc6|dropout6|fc8)'s output\. Try a lower learningRate/,
	});
});
