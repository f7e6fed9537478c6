// What layers put out, for users: which values, in which order, of how many pictures at once.
import test from 'ava';
import {listDevices} from '../../lib/device/device.ts';
import type {Model} from '../../lib/net/model.ts';
import {testOn} from '../helpers/devices.ts';
import {meetingNet, tinyModel, tinyPictures} from '../helpers/networks.ts';

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const placements = [['cpu:0'], ['cpu:0', 'cpu:1'], ...boards.slice(0, 1).flatMap((id) => [[id], [id, id]])];
/** Of sums in which every factor was rounded. */
const bounds = {fp32: 1e-5, bf16: 2 ** -7};

const count = 5;
const {images} = tinyPictures(count, `activations ${Date.now()}`);

/** Weights of a linear layer in PyTorch's order times its inputs in the same order, and biases. */
async function product(model: Model, layer: string, inputs: Float32Array): Promise<Float64Array> {
	const parameters = await model.getParameters();
	const [weights, bias] = [parameters.get(`${layer}.weight`)!, parameters.get(`${layer}.bias`)!];
	const width = weights.length / bias.length;
	return Float64Array.from({length: count * bias.length}, (_, index) => {
		const [row, output] = [Math.floor(index / bias.length), index % bias.length];
		const terms = inputs.subarray(row * width, (row + 1) * width);
		return terms.reduce((sum, value, place) => sum + value * weights[output * width + place]!, bias[output]!);
	});
}

for (const devices of placements) {
	for (const precision of ['fp32', 'bf16'] as const) {
		testOn(
			devices,
			`[${devices.join(', ')}] features are the inputs of the next layer's weights (${precision})`,
			async (t) => {
				await using model = await tinyModel({architecture: meetingNet(), devices, precision, batchSize: 4});
				const near = (values: Float32Array, expected: Float64Array, name: string): void => {
					t.is(values.length, expected.length, name);
					const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
					const worst = values.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
					t.true(worst <= bounds[precision] * largest, `${name}: ${worst} of ${largest}`);
				};
				const relu = (values: Float64Array): Float64Array => values.map((value) => Math.max(0, value));
				const pool3 = await model.activations(images, 'pool3');
				const [fc5, fc6, fc8] = await Promise.all(['fc5', 'fc6', 'fc8'].map((name) => model.activations(images, name)));
				near(fc5!, relu(await product(model, 'fc5', pool3)), 'fc5');
				near(fc6!, relu(await product(model, 'fc6', fc5!)), 'fc6');
				near(fc8!, await product(model, 'fc8', fc6!), 'fc8');
				t.deepEqual(await model.activations(images, 'dropout6'), fc6, 'without dropout');
				const probabilities = await model.predict(images);
				const expected = Float64Array.from(fc8!, (logit, index) => {
					const row = fc8!.subarray(index - (index % 3), index - (index % 3) + 3);
					return Math.exp(logit) / row.reduce((sum, each) => sum + Math.exp(each), 0);
				});
				near(probabilities, expected, 'probabilities');
			},
		);
	}
}

test('of a layer of channels both columns come as one, column 0 first', async (t) => {
	await using one = await tinyModel({architecture: meetingNet()});
	await using two = await tinyModel({architecture: meetingNet(), devices: ['cpu:0', 'cpu:1']});
	for (const {name} of one.architecture.layers) {
		const [whole, columns] = [await one.activations(images, name), await two.activations(images, name)];
		t.is(whole.length, columns.length, name);
		const largest = whole.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
		t.true(largest > 0, name);
		whole.forEach((value, index) => t.true(Math.abs(value - columns[index]!) <= 1e-5 * largest, name));
	}
});

test('how many pictures come together does not matter, and no memory is taken after the first time', async (t) => {
	await using model = await tinyModel({batchSize: 2});
	const all = await model.activations(images, 'conv2');
	const width = all.length / count;
	const before = model.memory;
	const own = await Promise.all(
		Array.from({length: count}, (_, picture) =>
			model.activations(images.subarray(picture * 3072, (picture + 1) * 3072), 'conv2'),
		),
	);
	own.forEach((values, picture) => t.deepEqual(values, all.slice(picture * width, (picture + 1) * width)));
	t.true(model.memory.bytes - before.bytes <= before.bytes, 'at most a plan of one picture besides');
	const after = model.memory;
	await model.activations(images, 'conv2');
	t.deepEqual(model.memory, after);
});

test('ten crops are averaged', async (t) => {
	await using model = await tinyModel();
	const flat = new Uint8Array(3072).fill(91);
	const [one, ten] = [await model.activations(flat, 'fc6'), await model.activations(flat, 'fc6', {crops: 10})];
	// A picture of one colour looks the same in every view.
	one.forEach((value, index) => t.true(Math.abs(value - ten[index]!) < 1e-5));
	const own = images.subarray(0, 3072);
	t.notDeepEqual(await model.activations(own, 'fc6'), await model.activations(own, 'fc6', {crops: 10}));
});

test('what is refused', async (t) => {
	const model = await tinyModel();
	const refuse = async (run: () => Promise<unknown>, code: string, message: RegExp): Promise<void> => {
		await t.throwsAsync(run, {code, message});
	};
	await refuse(() => model.activations(images, 'fc66'), 'ALEXNET_ARGUMENT', /no layer 'fc66'\. Did you mean 'fc6'\?/);
	await refuse(() => model.activations(images, 7 as unknown as string), 'ALEXNET_ARGUMENT', /layer must be a string/);
	await refuse(() => model.activations(images.subarray(1), 'fc6'), 'ALEXNET_SHAPE', /whole pictures/);
	await refuse(() => model.activations(images, 'fc6', {crops: 3 as 10}), 'ALEXNET_ARGUMENT', /crops/);
	const waiting = refuse(() => model.activations(images, 'fc6'), 'ALEXNET_DISPOSED', /dispose/);
	await Promise.all([waiting, model.dispose()]);
	await refuse(() => model.activations(images, 'fc6'), 'ALEXNET_DISPOSED', /dispose/);
	t.is(model.memory.bytes, 0);
});
