// The same net with both columns on one device and with a column on each of two: what it computes, what it learns.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {listDevices} from '../../lib/device/device.ts';
import {Model} from '../../lib/net/model.ts';
import type {ModelOptions} from '../../lib/net/options.ts';
import {stepBound} from '../../lib/selftest/training-step.ts';
import {testOn} from '../helpers/devices.ts';
import {accuracyOfTraining, meetingNet, tinyLabels, tinyModel, tinyPictures} from '../helpers/networks.ts';
import {relativeDistance} from '../helpers/tolerance.ts';

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
/** Two of a kind, and one twice; for a GPU also the net on it alone. Each is compared with the net on the CPU. */
const placements = [
	['cpu:0', 'cpu:1'],
	['cpu:0', 'cpu:0'],
	...boards.slice(0, 1).flatMap((id) => [[id], [id, id]]),
	...(boards.length > 1 ? [boards.slice(0, 2)] : []),
];

/** How far tensors may be apart, as a share of their norm. */
const bounds = {fp32: stepBound(meetingNet(), 'fp32'), bf16: stepBound(meetingNet(), 'bf16')};

function both(devices: readonly string[], options: Partial<ModelOptions> = {}): Promise<[Model, Model]> {
	const net = {architecture: meetingNet(), ...options};
	return Promise.all([tinyModel(net), tinyModel({...net, devices})]);
}

for (const devices of placements) {
	for (const precision of ['fp32', 'bf16'] as const) {
		testOn(devices, `[${devices.join(', ')}] computes what one device does (${precision})`, async (t) => {
			const [one, two] = await both(devices, {precision});
			const {images, labels} = tinyPictures(16, 'placement');
			const near = (name: string, a: Float32Array, b: Float32Array): void => {
				const share = relativeDistance(a, b) / bounds[precision];
				t.true(share <= 1, `${name}: ${share} of the permitted distance`);
			};
			t.deepEqual(await two.getParameters(), await one.getParameters(), 'initial weights');
			near('predictions', await one.predict(images), await two.predict(images));

			const [first, second] = [await one.trainStep({images, labels}), await two.trainStep({images, labels})];
			t.true(Math.abs(first.loss - second.loss) <= bounds[precision] * first.loss, `${first.loss}, ${second.loss}`);
			const gradients = await two.gradients();
			for (const [name, gradient] of await one.gradients()) near(`gradient of ${name}`, gradient, gradients.get(name)!);

			const losses = {one: first.loss, two: second.loss};
			for (let step = 1; step < 10; ++step) {
				losses.one = (await one.trainStep({images, labels})).loss;
				losses.two = (await two.trainStep({images, labels})).loss;
				t.true(Math.abs(losses.one - losses.two) <= bounds[precision] * losses.one, `step ${step}`);
			}
			if (precision === 'fp32') {
				const weights = await two.getParameters();
				for (const [name, values] of await one.getParameters())
					near(`${name} after ten steps`, values, weights.get(name)!);
			}
			await Promise.all([one.dispose(), two.dispose()]);
		});
	}
}

test('the comparison shows another dropout mask, another weight and a column that is missing', async (t) => {
	const [one, two] = await both(['cpu:0', 'cpu:1']);
	const {images, labels} = tinyPictures(16, 'placement');
	await one.trainStep({images, labels, update: false});
	const right = await one.gradients();
	const differs = async (change: () => Promise<void>): Promise<boolean> => {
		await change();
		await two.trainStep({images, labels, update: false});
		const gradients = await two.gradients();
		return [...right].some(([name, gradient]) => relativeDistance(gradient, gradients.get(name)!) > bounds.fp32);
	};
	const weights = await one.getParameters();
	t.false(await differs(() => Promise.resolve()));
	two.step = 1; // dropout's masks follow the step
	t.true(await differs(() => Promise.resolve()));
	two.step = 0;
	const changed = new Map(weights);
	changed.set(
		'conv3.weight',
		weights.get('conv3.weight')!.map((value, index) => (index === 11 ? value * 1.01 : value)),
	);
	t.true(await differs(() => two.setParameters(changed)));
	// Kernels [24, 16, 3, 3]: column 0's lose sight of column 1's channels.
	const blind = weights.get('conv3.weight')!.map((value, index) => {
		const [kernel, channel] = [Math.floor(index / 144), Math.floor((index % 144) / 9)];
		return kernel < 12 && channel >= 8 ? 0 : value;
	});
	t.true(await differs(() => two.setParameters(new Map(weights).set('conv3.weight', blind))));
	await Promise.all([one.dispose(), two.dispose()]);
});

test('twenty epochs end at the same accuracy', async (t) => {
	const [one, two] = [await accuracyOfTraining(['cpu:0']), await accuracyOfTraining(['cpu:0', 'cpu:1'])];
	t.true(one > 0.9, `${one}`);
	t.is(two, one);
});

test('each device holds its column, and what it reads of the other', async (t) => {
	await using model = await tinyModel({architecture: meetingNet(), devices: ['cpu:0', 'cpu:1']});
	const parts = Object.fromEntries(
		model.parameters.map(({name, parts: all}) => [name, all.map(({device, shape}) => [device, ...shape])]),
	);
	t.deepEqual(model.devices, ['cpu:0', 'cpu:1']);
	t.like(parts, {
		'conv1.weight': [
			['cpu:0', 8, 7, 7, 3],
			['cpu:1', 8, 7, 7, 3],
		],
		'conv2.weight': [
			['cpu:0', 8, 3, 3, 8],
			['cpu:1', 8, 3, 3, 8],
		],
		'conv3.weight': [
			['cpu:0', 12, 3, 3, 8],
			['cpu:0', 12, 3, 3, 8],
			['cpu:1', 12, 3, 3, 8],
			['cpu:1', 12, 3, 3, 8],
		],
		'conv3.bias': [
			['cpu:0', 12],
			['cpu:1', 12],
		],
		'fc6.weight': [
			['cpu:0', 16, 24],
			['cpu:0', 16, 24],
			['cpu:1', 16, 24],
			['cpu:1', 16, 24],
		],
		'fc8.weight': [
			['cpu:0', 3, 16],
			['cpu:0', 3, 16],
		],
		'fc8.bias': [['cpu:0', 3]],
	});
});

test('a checkpoint does not depend on the placement', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	const [one, two] = await both(['cpu:0', 'cpu:1']);
	const {images, labels} = tinyPictures(16, 'checkpoint');
	for (let step = 0; step < 3; ++step) await two.trainStep({images, labels});
	const path = join(folder, 'two.safetensors');
	await saveCheckpoint(two, path);
	const moved = await loadCheckpoint(path, {devices: 'cpu'}, (options) => new Model(options));
	t.deepEqual(await moved.getParameters(), await two.getParameters());
	const back = await loadCheckpoint(path, {devices: ['cpu:0', 'cpu:1']}, (options) => new Model(options));
	const [next, again] = [await two.trainStep({images, labels}), await back.trainStep({images, labels})];
	t.deepEqual(again, next);
	t.deepEqual(await back.getParameters(), await two.getParameters(), 'momentum too is that of the checkpoint');
	await Promise.all([one, two, moved, back].map((model) => model.dispose()));
	await rm(folder, {recursive: true});
});

test('placements that cannot be', (t) => {
	const make = (options: object) => (): Model =>
		new Model({architecture: meetingNet(), labels: tinyLabels, ...options});
	const devices = ['cpu:0', 'cpu:1'];
	const column = {...meetingNet(), columns: 1 as const};
	t.throws(make({architecture: column, devices}), {
		code: 'ALEXNET_DEVICE',
		message: /1 column takes one device; got 2/,
	});
	const odd = meetingNet();
	const layers = odd.layers.map((layer) => (layer.name === 'fc6' ? {...layer, outputs: 33} : layer));
	t.throws(make({architecture: {...odd, layers} as typeof odd, devices}), {
		code: 'ALEXNET_SHAPE',
		message: 'fc6: 2 devices must share 33 outputs evenly.',
	});
});

test('what a step needs is compared with what is free before anything is taken', async (t) => {
	const model = await tinyModel({devices: ['cpu:0', 'cpu:1']});
	const before = model.memory;
	const count = 2 ** 20; // pictures of 3 KiB
	const step = model.trainStep({images: new Uint8Array(count * 3072), labels: new Uint8Array(count)});
	const message =
		/^Out of memory on cpu:0: A training step of 1048576 pictures needs [\d,]+ MB, [\d,]+ MB are free\. Try/;
	await t.throwsAsync(step, {code: 'ALEXNET_MEMORY', message});
	t.deepEqual(model.memory, before);
	t.true(Number.isFinite((await model.trainStep({...tinyPictures(16, 'memory')})).loss), 'and the model goes on');
	await model.dispose();
});

for (const precision of ['fp32', 'bf16'] as const) {
	for (const devices of [['cpu:0'], ...placements]) {
		const where = `[${devices.join(', ')}]`;
		testOn(
			devices,
			`one weight that is NaN reaches loss, probabilities and classes in ${precision} ${where}`,
			async (t) => {
				const net = {architecture: meetingNet(), labels: tinyLabels, precision, devices, batchSize: 16};
				await using model = AlexNet.uninitialized(net);
				await model.initialize();
				const weights = await model.getParameters();
				weights.get('conv1.weight')![0] = NaN;
				await model.setParameters(weights);
				const {images, labels} = tinyPictures(16, String(Math.random()));
				const data = images.subarray(0, images.length / 16);
				t.is((await model.trainStep({images, labels, update: false})).loss, NaN);
				t.is(await model.firstNotFinite(), "conv1's output");
				t.deepEqual([...(await model.predict(data))], Array<number>(tinyLabels.length).fill(NaN));
				const side = meetingNet().imageSize;
				const picture = {data, width: side, height: side, channels: 3 as const};
				await t.throwsAsync(model.classify(picture), {code: 'ALEXNET_LOSS', message: /is not a number/});
				await t.throwsAsync(model.classifyMany([picture]).next(), {code: 'ALEXNET_LOSS'});
			},
		);
	}
}

test('the first tensor that is not finite is named', async (t) => {
	for (const devices of [['cpu:0'], ['cpu:0', 'cpu:1']]) {
		await using model = await tinyModel({architecture: meetingNet(), devices});
		const {images, labels} = tinyPictures(16, 'finite');
		t.is(await model.firstNotFinite(), undefined);
		await model.trainStep({images, labels});
		t.is(await model.firstNotFinite(), undefined);
		const weights = await model.getParameters();
		const last = weights.get('conv3.weight')!;
		last[last.length - 1] = Infinity; // of the last kernel: column 1's
		await model.setParameters(weights);
		await model.trainStep({images, labels});
		t.is(await model.firstNotFinite(), "conv3's output");
	}
});
