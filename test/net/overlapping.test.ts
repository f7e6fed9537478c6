// Calls that overlap on one model: whole steps in files, shared batches, aborted and refused ones.
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {InferencePlan} from '../../lib/net/inference-plan.ts';
import {Model} from '../../lib/net/model.ts';
import type {RunOptions} from '../../lib/net/options.ts';
import {train} from '../../lib/training/trainer.ts';
import {tinyModel, tinyPictures, tinySource} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {split} from '../helpers/safetensors.ts';

const load = (path: string, options: RunOptions = {}): Promise<Model> =>
	loadCheckpoint(path, options, (all) => new Model(all));

test('a file saved while steps are made is of one whole step, with its progress', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-overlapping-'));
	await using model = await tinyModel();
	const weights = new Map<number, Map<string, Float32Array>>();
	const saves: Promise<string>[] = [];
	for await (const report of train(model, tinySource(48, 'torn'), {epochs: 8})) {
		if (report.type === 'epoch') continue;
		// The next step is asked for while these are at work.
		const path = join(folder, `${Math.floor(Math.random() * 4)}`);
		saves.push(saveCheckpoint(model, path).then(() => path));
		const {step} = model;
		saves.push(model.getParameters().then((values) => (weights.set(step, values), path)));
	}
	for (const path of new Set(await Promise.all(saves))) {
		await using loaded = await load(path);
		const {epochs = 0, epoch} = loaded.progress ?? {};
		t.is(loaded.step, epochs * 3 + (epoch?.steps ?? 0));
		t.deepEqual(await loaded.getParameters(), weights.get(loaded.step));
	}
	await rm(folder, {recursive: true});
});

test('a second train() loop is refused until the first is left', async (t) => {
	await using model = await tinyModel();
	const source = tinySource(48, 'loops');
	const first = train(model, source, {epochs: 2});
	await first.next();
	await t.throwsAsync(train(model, source).next(), {code: 'ALEXNET_ARGUMENT', message: /in training already/});
	await first.return();
	for await (const report of train(model, source, {epochs: 1})) t.truthy(report);
	const failing = {...source, batches: (): never => t.fail(), labels: ['other']};
	await t.throwsAsync(train(model, failing).next(), {code: 'ALEXNET_LABEL'});
	t.false((await train(model, source, {epochs: 2}).next()).done);
});

test('overlapping predictions of all sizes are those of each alone', async (t) => {
	await using model = await tinyModel({batchSize: 16});
	const requests = Array.from({length: 40}, (_, index) => ({
		images: tinyPictures(1 + Math.floor(Math.random() * (index % 8 === 0 ? 40 : 3)), `mixed ${Math.random()}`).images,
		crops: Math.random() < 0.3 ? (10 as const) : (1 as const),
	}));
	const together = await Promise.all(requests.map(({images, crops}) => model.predict(images, {crops})));
	for (const [index, {images, crops}] of requests.entries()) {
		const alone = await model.predict(images, {crops});
		t.is(together[index]!.length, alone.length);
		alone.forEach((value, place) => t.true(Math.abs(value - together[index]![place]!) < 1e-6));
		t.true(together[index]!.every((value) => value <= 1));
	}
});

test.serial('pictures that are asked for one by one, at once, are predicted together', async (t) => {
	await using model = await tinyModel({batchSize: 16});
	const {images} = tinyPictures(32, 'one by one');
	const run = Reflect.get<InferencePlan, 'run'>(InferencePlan.prototype, 'run');
	t.teardown(() => (InferencePlan.prototype.run = run));
	let runs = 0;
	InferencePlan.prototype.run = function (this: InferencePlan, batch) {
		++runs;
		run.call(this, batch);
	};
	const size = images.length / 32;
	const one = (index: number): Promise<Float32Array> =>
		model.predict(images.subarray(index * size, (index + 1) * size));
	await Promise.all(Array.from({length: 32}, (_, index) => one(index)));
	// The first alone, as the devices were idle, and two batches.
	t.true(runs <= 3, String(runs));
});

test('predictions of every size hold less than three times what the largest do', async (t) => {
	await using one = await tinyModel({batchSize: 16});
	await using all = await tinyModel({batchSize: 16});
	const before = one.memory.bytes;
	await one.predict(tinyPictures(16, 'largest').images);
	for (let count = 1; count <= 18; ++count) await all.predict(tinyPictures(count, 'each size').images);
	t.true(all.memory.bytes - before < 3 * (one.memory.bytes - before));
});

test('pictures that are read where they lie give what copied ones give', async (t) => {
	await using model = await tinyModel({batchSize: 16});
	const {images} = tinyPictures(40, 'in one piece'); // two whole batches and a half
	const expected = await model.predict(images);
	const {signal} = new AbortController(); // who may abort may change them, so these are copied
	t.deepEqual(await model.predict(images, {signal}), expected);
});

test('an aborted prediction leaves the others alone, and each hears of its own mistake', async (t) => {
	await using model = await tinyModel();
	const {images} = tinyPictures(2, 'abort');
	const expected = await model.predict(images);
	const [controller, reason] = [new AbortController(), new Error('enough')];
	const calls = [
		model.predict(images),
		model.predict(images, {signal: controller.signal}),
		model.predict(images.subarray(1)),
		model.predict(images),
	];
	const settled = Promise.allSettled(calls);
	controller.abort(reason);
	await t.throwsAsync(calls[1]!, {is: reason});
	await t.throwsAsync(calls[2]!, {code: 'ALEXNET_SHAPE'});
	for (const index of [0, 3]) {
		(await calls[index]!).forEach((value, place) => t.true(Math.abs(value - expected[place]!) < 1e-6));
	}
	await settled;
	await t.throwsAsync(model.predict(images, {signal: AbortSignal.abort(reason)}), {is: reason});
});

test('dispose while all is at work: what was asked ends or is refused, and nothing is left', async (t) => {
	const model = await tinyModel({batchSize: 4});
	const {images, labels} = tinyPictures(4, 'races');
	const calls = Array.from({length: 30}, (_, index) =>
		index % 3 === 0 ? model.trainStep({images, labels}) : index % 3 === 1 ? model.predict(images) : model.gradients(),
	);
	const settled = Promise.allSettled(calls);
	await calls[Math.floor(Math.random() * 5)];
	await model.dispose();
	t.is(model.memory.bytes, 0);
	const refused = (await settled).filter((call) => call.status === 'rejected');
	for (const {reason} of refused) t.is((reason as {code: string}).code, 'ALEXNET_DISPOSED');
	t.true(refused.length > 0);
});

test('training holds the memory of one batch size, and a plan that fails half-way none', async (t) => {
	await using model = await tinyModel();
	const step = async (count: number): Promise<number> => {
		const {images, labels} = tinyPictures(count, 'sizes');
		await model.trainStep({images, labels});
		return model.memory.bytes;
	};
	const held = await step(16);
	for (const count of [3, 9, 1]) t.true((await step(count)) < held);
	t.is(await step(16), held);
	const {device} = model.parameters[0]!.parts[0]!.memory;
	const allocate = device.allocate.bind(device);
	let left = 5;
	Object.defineProperty(device, 'allocate', {
		configurable: true,
		value: (...args: Parameters<typeof allocate>) => {
			if (left-- === 0) throw new Error('no more');
			return allocate(...args);
		},
	});
	await t.throwsAsync(step(8), {message: 'no more'});
	Reflect.deleteProperty(device, 'allocate');
	t.true(model.memory.bytes < held);
	t.is(await step(16), held);
});

test('a net in training saves without momentum: half of its numbers, and the same predictions', async (t) => {
	const folder = await temporaryFolder(t);
	const [whole, light] = [join(folder, 'whole'), join(folder, 'light')];
	await using model = await tinyModel();
	const {images, labels} = tinyPictures(16, 'half');
	await model.trainStep({images, labels});
	await saveCheckpoint(model, whole);
	await saveCheckpoint(model, light, {momentum: false});
	const files = [split(await readFile(whole)), split(await readFile(light))] as const;
	const names = files.map(({header}) => Object.keys(header).sort());
	t.deepEqual(
		names[1],
		names[0]!.filter((name) => !name.startsWith('momentum.')),
	);
	const statistics = 4 * (32 * 32 * 3 + 3 + 9);
	const [both, alone] = files.map(({data}) => data.length - statistics);
	t.is(both, 2 * alone!);
	await using loaded = await load(light);
	t.deepEqual(await loaded.predict(images), await model.predict(images));
});

test('a net for inference alone predicts the same, saves without momentum, and is not trained', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-inference-'));
	const [whole, light] = [join(folder, 'whole'), join(folder, 'light')];
	await using model = await tinyModel();
	const {images, labels} = tinyPictures(16, 'light');
	await model.trainStep({images, labels});
	await saveCheckpoint(model, whole);
	for (const precision of ['fp32', 'bf16'] as const) {
		await using full = await load(whole, {precision});
		await using inference = await load(whole, {precision, inferenceOnly: true});
		t.true(inference.memory.bytes < full.memory.bytes * (precision === 'fp32' ? 0.5 : 0.6));
		t.deepEqual(await inference.predict(images), await full.predict(images));
		await t.throwsAsync(inference.trainStep({images, labels}), {code: 'ALEXNET_ARGUMENT', message: /inferenceOnly/});
		await t.throwsAsync(saveCheckpoint(inference, light, {momentum: true}), {code: 'ALEXNET_ARGUMENT'});
		await saveCheckpoint(inference, light);
		await using again = await load(light);
		t.deepEqual(await again.getParameters(), await model.getParameters());
		// Without momentum, as where setParameters() began anew.
		await full.setParameters(await again.getParameters());
		if (precision === 'fp32') {
			t.deepEqual(await again.trainStep({images, labels}), await full.trainStep({images, labels}));
			t.deepEqual(await again.getParameters(), await full.getParameters());
		}
	}
	await rm(folder, {recursive: true});
});
