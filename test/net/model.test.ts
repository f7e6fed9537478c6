// The model on a net of milliseconds: steps, predictions, errors, and what is left when it goes.
import test from 'ava';
import {DisposedError} from '../../lib/base/errors.ts';
import {Model} from '../../lib/net/model.ts';
import {testOn} from '../helpers/devices.ts';
import {meetingNet, tinyLabels, tinyModel, tinyNet, tinyPictures} from '../helpers/networks.ts';

const precisions = ['fp32', 'bf16'] as const;

for (const precision of precisions) {
	test(`training learns, and predictions follow (${precision})`, async (t) => {
		const model = await tinyModel({precision});
		const {images, labels} = tinyPictures(48, 'learn');
		const losses: number[] = [];
		for (let step = 0; step < 120; ++step) {
			const start = (step % 3) * 16;
			const batch = images.subarray(start * 3072, (start + 16) * 3072);
			losses.push((await model.trainStep({images: batch, labels: labels.subarray(start, start + 16)})).loss);
		}
		t.is(model.step, 120);
		t.true(Math.abs(losses[0]! - Math.log(3)) < 0.3, `first loss ${losses[0]}`);
		const last = losses.slice(-12).reduce((sum, loss) => sum + loss / 12, 0);
		t.true(last < 0.2, `last losses ${last}`);
		const fresh = tinyPictures(33, 'never seen');
		const probabilities = await model.predict(fresh.images);
		t.is(probabilities.length, 33 * 3);
		let right = 0;
		for (let row = 0; row < 33; ++row) {
			const values = probabilities.subarray(row * 3, row * 3 + 3);
			t.true(Math.abs(values.reduce((sum, value) => sum + value) - 1) < 1e-5);
			if (values.indexOf(Math.max(...values)) === fresh.labels[row]) ++right;
		}
		t.true(right >= 30, `${right} of 33`);
		await model.dispose();
	});

	for (const devices of [['cpu:0'], ['cpu:0', 'cpu:1']]) {
		testOn(
			devices,
			`a step takes no memory after the first, and all of it comes back (${precision}, ${devices.join()})`,
			async (t) => {
				const model = await tinyModel({architecture: meetingNet(), precision, devices});
				const {images, labels} = tinyPictures(16, 'memory');
				await model.trainStep({images, labels});
				await model.predict(images);
				const before = model.memory;
				for (let step = 0; step < 5; ++step) {
					await model.trainStep({images, labels});
					await model.predict(images);
				}
				t.deepEqual(model.memory, before);
				await model.dispose();
				t.is(model.memory.bytes, 0);
			},
		);
	}
}

test('the same seed gives the same run bit for bit, another seed another', async (t) => {
	const run = async (seed: number): Promise<Map<string, Float32Array>> => {
		const model = await tinyModel({seed});
		const {images, labels} = tinyPictures(16, 'seed');
		for (let step = 0; step < 3; ++step) await model.trainStep({images, labels});
		const parameters = await model.getParameters();
		await model.dispose();
		return parameters;
	};
	const [first, second, other] = [await run(1), await run(1), await run(2)];
	t.deepEqual(first, second);
	t.notDeepEqual(first, other);
});

test('update: false leaves the weights and the step, and gives gradients', async (t) => {
	const model = await tinyModel();
	const {images, labels} = tinyPictures(16, 'update');
	const before = await model.getParameters();
	const first = await model.trainStep({images, labels, augment: 'none', update: false});
	const second = await model.trainStep({images, labels, augment: 'none', update: false});
	t.deepEqual(await model.getParameters(), before);
	t.is(model.step, 0);
	t.deepEqual(first, second);
	const gradients = await model.gradients();
	t.deepEqual([...gradients.keys()], [...before.keys()]);
	for (const [name, gradient] of gradients)
		t.true(
			gradient.some((value) => value !== 0),
			name,
		);
	await model.dispose();
});

test('augmentation draws by picture and epoch, not by place in the batch', async (t) => {
	const model = await tinyModel({architecture: withoutDropout()});
	const {images, labels} = tinyPictures(2, 'views');
	const swapped = new Uint8Array([...images.subarray(3072), ...images.subarray(0, 3072)]);
	const loss = async (pictures: Uint8Array, order: number[], epoch: number): Promise<number> => {
		const batch = {images: pictures, labels: order.map((index) => labels[index]!), indices: order, epoch};
		return (await model.trainStep({...batch, update: false})).loss;
	};
	const base = await loss(images, [0, 1], 1);
	t.true(Math.abs((await loss(swapped, [1, 0], 1)) - base) < 1e-6);
	t.true(Math.abs((await loss(images, [0, 1], 2)) - base) > 1e-6);
	await model.dispose();
});

test('ten crops are the mean of ten views', async (t) => {
	const model = await tinyModel();
	const {images} = tinyPictures(3, 'crops');
	const ten = await model.predict(images, {crops: 10});
	const one = await model.predict(images, {crops: 1});
	t.is(ten.length, 9);
	t.notDeepEqual(ten, one);
	// A picture of one colour looks the same in every view.
	const flat = new Uint8Array(3072).fill(77);
	const [flatTen, flatOne] = [await model.predict(flat, {crops: 10}), await model.predict(flat, {crops: 1})];
	flatTen.forEach((value, index) => t.true(Math.abs(value - flatOne[index]!) < 1e-6));
	await model.dispose();
});

test('predictions do not depend on how many pictures come together', async (t) => {
	const model = await tinyModel({batchSize: 4});
	const {images} = tinyPictures(11, 'sizes');
	const all = await model.predict(images);
	for (let picture = 0; picture < 11; ++picture) {
		const own = await model.predict(images.subarray(picture * 3072, (picture + 1) * 3072));
		own.forEach((value, index) => t.true(Math.abs(value - all[picture * 3 + index]!) < 1e-6));
	}
	const [first, second] = await Promise.all([model.predict(images), model.predict(images)]);
	t.deepEqual(first, all);
	t.deepEqual(second, all);
	await model.dispose();
});

test('wrong pictures, labels and options are refused before anything runs', async (t) => {
	const model = await tinyModel();
	const {images, labels} = tinyPictures(4, 'errors');
	const refuse = async (options: object, code: string, message: RegExp): Promise<void> => {
		await t.throwsAsync(model.trainStep({images, labels, ...options}), {code, message});
	};
	await refuse({images: images.subarray(1)}, 'ALEXNET_SHAPE', /images/);
	await refuse({labels: []}, 'ALEXNET_SHAPE', /at least one picture/);
	await refuse({labels: [0, 1, 2, 3]}, 'ALEXNET_LABEL', /picture 3 is 3/);
	await refuse({labels: [0, -1, 2, 0]}, 'ALEXNET_LABEL', /picture 1 is -1/);
	await refuse({labels: [0, 0.5, 2, 0]}, 'ALEXNET_LABEL', /picture 1 is 0.5/);
	await t.throwsAsync(model.predict(new Uint8Array()), {code: 'ALEXNET_SHAPE'});
	await t.throwsAsync(model.predict(images.subarray(5)), {code: 'ALEXNET_SHAPE'});
	await t.throwsAsync(model.predict(images, {crops: 5 as 10}), {code: 'ALEXNET_ARGUMENT', message: /crops/});
	await t.throwsAsync(model.setParameters(new Map()), {code: 'ALEXNET_ARGUMENT', message: /conv1.weight/});
	t.throws(() => (model.statistics = {...model.statistics, mean: new Float32Array(5)}), {code: 'ALEXNET_SHAPE'});
	t.is(model.step, 0);
	t.true(Number.isFinite((await model.trainStep({images, labels})).loss), 'and the model goes on');
	await model.dispose();
});

test('devices, precisions and labels that cannot be', (t) => {
	const make = (options: object) => (): Model => new Model({architecture: tinyNet(), labels: tinyLabels, ...options});
	t.throws(make({devices: 'tpu:0'}), {code: 'ALEXNET_DEVICE', message: /Unknown device 'tpu:0'. Devices here: cpu:0/});
	const three = ['cpu:0', 'cpu:0', 'cpu:0'];
	t.throws(make({devices: three}), {
		code: 'ALEXNET_DEVICE',
		message: /A net of 2 columns takes one device, or 2 of a kind; got 3/,
	});
	t.throws(make({devices: []}), {code: 'ALEXNET_DEVICE'});
	t.throws(make({precision: 'fp16'}), {code: 'ALEXNET_ARGUMENT', message: /precision/});
	t.throws(make({labels: ['a', 'b']}), {code: 'ALEXNET_SHAPE', message: /2 labels/});
	t.throws(make({learningRate: NaN}), {code: 'ALEXNET_ARGUMENT', message: /learningRate/});
	t.throws(make({momentum: 1}), {code: 'ALEXNET_ARGUMENT', message: /momentum/});
	t.throws(make({batchSize: 0}), {code: 'ALEXNET_ARGUMENT', message: /batchSize/});
	t.throws(make({seed: -1}), {code: 'ALEXNET_ARGUMENT', message: /seed/});
	const small = {...tinyNet(), crop: 5};
	t.throws(make({architecture: small}), {code: 'ALEXNET_SHAPE'});
});

test('dispose waits for what is queued, is idempotent, and what follows is refused', async (t) => {
	const model = await tinyModel();
	const {images, labels} = tinyPictures(16, 'dispose');
	const steps = [model.trainStep({images, labels}), model.trainStep({images, labels})];
	const both = [model.dispose(), model.dispose()];
	for (const result of await Promise.all(steps)) t.true(Number.isFinite(result.loss));
	await Promise.all(both);
	await model.dispose();
	t.is(model.memory.bytes, 0);
	await t.throwsAsync(model.trainStep({images, labels}), {instanceOf: DisposedError, code: 'ALEXNET_DISPOSED'});
	await t.throwsAsync(model.predict(images), {code: 'ALEXNET_DISPOSED'});
	await t.throwsAsync(model.gradients(), {code: 'ALEXNET_DISPOSED'});
	await t.throwsAsync(model.synchronize(), {code: 'ALEXNET_DISPOSED'});
});

test('await using disposes', async (t) => {
	let outside: Model;
	{
		await using model = await tinyModel();
		outside = model;
		t.true(model.memory.bytes > 0);
	}
	t.is(outside.memory.bytes, 0);
});

function withoutDropout(): ReturnType<typeof tinyNet> {
	const net = tinyNet();
	return {...net, layers: net.layers.filter(({type}) => type !== 'dropout')};
}
