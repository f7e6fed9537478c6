// AlexNet.from: what a net takes over from a checkpoint, and what starts anew.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {AlexNet, type FineTuneOptions} from '../../lib/index.ts';
import {meetingNet, tinyModel, tinyPictures, tinySource} from '../helpers/networks.ts';

let folder = '';
let path = '';
const labels = ['cat', 'dog', 'fox', 'owl', 'pig'];

test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-fine-tuning-'));
	path = join(folder, 'teacher.safetensors');
	await using teacher = await tinyModel({architecture: meetingNet(), learningRate: 0.002, momentum: 0.8, seed: 3});
	for (let step = 0; step < 3; ++step) await teacher.trainStep(tinyPictures(16, `teacher ${step}`));
	await saveCheckpoint(teacher, path);
});
test.after.always(() => rm(folder, {recursive: true}));

const placements: readonly Partial<FineTuneOptions>[] = [
	{},
	{precision: 'bf16'},
	{devices: ['cpu:0', 'cpu:1']},
	{devices: ['cpu:0', 'cpu:1'], precision: 'bf16', freeze: ['conv1', 'fc5']},
];

for (const options of placements) {
	test(`the last layer is new, the others are the checkpoint's: ${JSON.stringify(options)}`, async (t) => {
		await using teacher = await AlexNet.load(path);
		await using model = await AlexNet.from(path, {labels, seed: 5, batchSize: 10, ...options});
		const [before, now] = [await teacher.getParameters(), await model.getParameters()];
		t.deepEqual([...now.keys()], [...before.keys()]);
		for (const [name, values] of now) {
			if (!name.startsWith('fc8.')) t.deepEqual(values, before.get(name), name);
		}
		const weights = now.get('fc8.weight')!;
		t.is(weights.length, labels.length * 32);
		const deviation = Math.sqrt(weights.reduce((sum, weight) => sum + weight ** 2, 0) / weights.length);
		t.true(Math.abs(deviation - 0.05) < 0.015, `as it is told to start: ${deviation}`);
		t.true(now.get('fc8.bias')!.every((bias) => bias === Math.fround(0.1)));

		t.deepEqual(model.labels, labels);
		t.deepEqual([model.step, model.progress, model.batchSize, model.seed], [0, undefined, 10, 5]);
		t.deepEqual([model.sgd.learningRate, model.sgd.momentum, model.sgd.lastLayerLearningRateScale], [0.001, 0.9, 10]);
		t.deepEqual(model.statistics, teacher.statistics, 'of the pictures that the weights have learned with');
		t.deepEqual(model.frozen, options.freeze ?? []);
		t.deepEqual(
			{...model.architecture, layers: model.architecture.layers.slice(0, -1)},
			{
				...teacher.architecture,
				layers: teacher.architecture.layers.slice(0, -1),
			},
		);
		for (const parameter of model.parameters) {
			if (parameter.learns)
				t.true(
					(await parameter.read('velocity')).every((value) => value === 0),
					parameter.name,
				);
		}
		const {images} = tinyPictures(10, 'new');
		const batch = {images, labels: images.filter((_, index) => index < 10).map((_, index) => index % 5)};
		t.true(Number.isFinite((await model.trainStep(batch)).loss));
	});
}

test('training goes on bit for bit from what such a net has saved, and keeps the mean image', async (t) => {
	const own = join(folder, 'tuned.safetensors');
	const source = {...tinySource(48, 'tuning'), statistics: () => Promise.reject(new Error('They are known.'))};
	const options = {labels: source.labels, batchSize: 16, freeze: ['conv1']};
	const epoch = async (model: AlexNet, epochs: number): Promise<void> => {
		for await (const report of model.train(source, {epochs})) t.true(report.loss > 0);
	};
	await using whole = await AlexNet.from(path, options);
	await epoch(whole, 2);
	await using first = await AlexNet.from(path, options);
	await epoch(first, 1);
	await first.save(own);
	await using second = await AlexNet.load(own);
	await epoch(second, 2);
	t.deepEqual(await second.getParameters(), await whole.getParameters());
	t.deepEqual(second.sgd, whole.sgd);
});

test('what is refused', async (t) => {
	const refuse = (options: FineTuneOptions, code: string, message: RegExp): Promise<unknown> =>
		t.throwsAsync(AlexNet.from(path, options), {code, message});
	await refuse({}, 'ALEXNET_ARGUMENT', /labels \(names\) or classes/);
	await refuse({labels: ['cat']}, 'ALEXNET_ARGUMENT', /labels must be at least 2 names/);
	await refuse({labels, freeze: ['fc8']}, 'ALEXNET_ARGUMENT', /fc8 is replaced .* Leave it out of freeze/);
	await refuse({labels, freeze: ['conv9']}, 'ALEXNET_ARGUMENT', /no layer 'conv9'\. Did you mean 'conv1'\?/);
	await refuse({labels, lastLayerLearningRateScale: -1}, 'ALEXNET_ARGUMENT', /lastLayerLearningRateScale must be/);
	await refuse({labels, lrn: false} as FineTuneOptions, 'ALEXNET_ARGUMENT', /AlexNet\.from has no option 'lrn'/);
	await t.throwsAsync(AlexNet.from(join(folder, 'none.safetensors'), {labels}), {code: 'ALEXNET_CHECKPOINT'});
});
