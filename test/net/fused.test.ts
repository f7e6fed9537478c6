// What a plan does in one pass: the net computes the bits of one whose layers are kept apart, by a ReLU of what is not
// negative anyway.
import test from 'ava';
import {listDevices} from '../../lib/device/device.ts';
import type {Architecture} from '../../lib/net/architecture.ts';
import type {LayerSpec} from '../../lib/net/layers/registry.ts';
import type {Model} from '../../lib/net/model.ts';
import type {ModelOptions} from '../../lib/net/options.ts';
import {testOn} from '../helpers/devices.ts';
import {meetingNet, tinyModel, tinyNet, tinyPictures} from '../helpers/networks.ts';

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const placements = [
	['cpu:0'],
	['cpu:0', 'cpu:1'],
	...boards.slice(0, 1).map((id) => [id]),
	...(boards.length > 1 ? [boards.slice(0, 2)] : []),
];

/** With a layer that changes nothing below each max pooling. */
function keptApart(net: Architecture, between: (name: string) => LayerSpec): Architecture {
	const layers = net.layers.flatMap((layer) =>
		layer.type === 'maxPool' ? [between(`before-${layer.name}`), layer] : [layer],
	);
	return {...net, layers};
}

const relu = (name: string): LayerSpec => ({type: 'activate', name, activation: 'relu'});
const nothingDropped = (name: string): LayerSpec => ({type: 'dropout', name, rate: 0});

async function assertSameTraining(
	t: {deepEqual: (a: unknown, b: unknown, message?: string) => unknown; title: string},
	[one, other]: readonly [Model, Model],
): Promise<void> {
	const {images, labels} = tinyPictures(16, t.title);
	for (let step = 0; step < 3; ++step) {
		t.deepEqual(await one.trainStep({images, labels}), await other.trainStep({images, labels}));
	}
	t.deepEqual(await one.gradients(), await other.gradients());
	t.deepEqual(await one.getParameters(), await other.getParameters());
}

function both(
	architecture: Architecture,
	apart: Architecture,
	options: Partial<ModelOptions>,
): Promise<[Model, Model]> {
	return Promise.all([tinyModel({architecture, ...options}), tinyModel({architecture: apart, ...options})]);
}

for (const devices of placements) {
	for (const precision of ['fp32', 'bf16'] as const) {
		testOn(
			devices,
			`LRN with pooling, and ReLUs below, have the bits of single layers [${devices.join(', ')}] (${precision})`,
			async (t) => {
				const net = meetingNet();
				const models = await both(net, keptApart(net, relu), {devices, precision});
				const [one, other] = models;
				await assertSameTraining(t, models);
				const {images} = tinyPictures(5, t.title);
				t.deepEqual(await one.predict(images), await other.predict(images));
				for (const name of ['lrn1', 'pool1', 'pool3', 'fc8']) {
					t.deepEqual(await one.activations(images, name), await other.activations(images, name), name);
				}
				await Promise.all(models.map((model) => model.dispose()));
			},
		);
	}
}

test('a tanh below is not mistaken for a ReLU', async (t) => {
	const {layers, ...rest} = tinyNet();
	const tanh = layers.flatMap((layer): LayerSpec[] => {
		if (layer.type === 'dropout') return [];
		return [layer.type === 'conv2d' ? {...layer, activation: 'tanh'} : layer];
	});
	const net = {...rest, layers: tanh};
	const models = await both(net, keptApart(net, nothingDropped), {});
	await assertSameTraining(t, models);
	await Promise.all(models.map((model) => model.dispose()));
});

test('where nothing below the pooling learns', async (t) => {
	const net = meetingNet();
	for (const freeze of [['conv1'], ['conv1', 'conv2', 'conv3']]) {
		const models = await both(net, keptApart(net, relu), {freeze});
		await assertSameTraining(t, models);
		await Promise.all(models.map((model) => model.dispose()));
	}
});

test("the normalization's outputs are not kept, and its name is told where they are not finite", async (t) => {
	const net = tinyNet();
	const models = await both(net, keptApart(net, relu), {});
	const [one, other] = models;
	const {images, labels} = tinyPictures(16, t.title);
	for (const model of models) await model.trainStep({images, labels});
	// Its own, and those of the layer in between: [16, 11, 11, 16] fp32.
	t.is(other.memory.bytes - one.memory.bytes, 2 * 16 * 11 * 11 * 16 * 4);
	await Promise.all(models.map((model) => model.dispose()));

	const layers = net.layers.map((layer) => (layer.type === 'lrn' ? {...layer, alpha: 0, k: 0} : layer));
	await using undefinedPower = await tinyModel({architecture: {...net, layers}});
	await undefinedPower.trainStep({images, labels});
	t.is(await undefinedPower.firstNotFinite(), "lrn1's output");
});
