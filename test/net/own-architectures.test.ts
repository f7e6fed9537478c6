// Nets that users write down: what create() makes of them, and what it refuses.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {alexnet, AlexNet, type Architecture, type LayerSpec} from '../../lib/index.ts';
import {tinyLabels, tinyNet, tinySource} from '../helpers/networks.ts';

/** Two convolutions, two linear layers, one column. */
const fourLayers: Architecture = {
	imageSize: 32,
	crop: 28,
	columns: 1,
	layers: [
		...(['conv1', 'conv2'] as const).flatMap((name, place): LayerSpec[] => [
			{
				...({type: 'conv2d', name, kernels: 12, size: 3, stride: 1, pads: [1, 1, 1, 1], reads: 'both'} as const),
				...({activation: 'relu', initial: place === 0 ? {deviation: 0.01, bias: 0} : {gain: 1, bias: 0}} as const),
			},
			{type: 'maxPool', name: `pool${place + 1}`, size: 2, stride: 2},
		]),
		{type: 'linear', name: 'fc3', outputs: 32, activation: 'relu', initial: {gain: 1, bias: 0}},
		{type: 'linear', name: 'fc4', outputs: 3, activation: 'none', initial: {gain: 0.1, bias: 0}},
	],
};

test('a net of four layers learns, is saved and loaded', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	t.teardown(() => rm(folder, {recursive: true}));
	const options = {architecture: fourLayers, labels: tinyLabels, batchSize: 16, learningRate: 0.003};
	await using model = await AlexNet.create(options);
	let epochs = 0;
	for await (const {epoch} of model.train(tinySource(96, t.title), {epochs: 5})) epochs = epoch;
	t.is(epochs, 5);
	const {top1} = await model.evaluate(tinySource(120, 'never seen'));
	t.true(top1 > 0.9, `${top1}`);
	await model.save(join(folder, 'four.safetensors'));
	await using loaded = await AlexNet.load(join(folder, 'four.safetensors'));
	t.deepEqual(loaded.architecture, fourLayers);
	t.deepEqual(await loaded.getParameters(), await model.getParameters());
});

test('layers of a preset become others, and the rest stays', async (t) => {
	const net = alexnet({classes: 4, init: 'he'});
	const layers = net.layers.map((layer): LayerSpec => {
		if (layer.type === 'lrn') return {...layer, size: 9};
		return layer.type === 'linear' && layer.name !== 'fc8' ? {...layer, outputs: 64} : layer;
	});
	await using model = await AlexNet.create({architecture: {...net, layers}, batchSize: 1, inferenceOnly: true});
	t.deepEqual(model.architecture, {...net, layers});
	const shapes = new Map(model.parameters.map(({name, shape}) => [name, shape]));
	t.deepEqual(
		[shapes.get('fc6.weight'), shapes.get('fc7.weight')],
		[
			[64, 9216],
			[64, 64],
		],
	);
	t.deepEqual(model.labels, ['class 0', 'class 1', 'class 2', 'class 3']);
});

test('what becomes of the data later does not change the net', async (t) => {
	const architecture = structuredClone(tinyNet()) as {imageSize: number} & Architecture;
	await using model = await AlexNet.create({architecture, labels: tinyLabels});
	architecture.imageSize = 64;
	t.deepEqual(model.architecture, tinyNet());
});

const with2 = (change: object): object => {
	const net = tinyNet();
	return {...net, layers: net.layers.map((spec, place) => (place === 2 ? {...spec, ...change} : spec))};
};

/** Options, and the code and words of the refusal. */
const refused: readonly (readonly [object, string, RegExp])[] = [
	[{architecture: 'paper'}, 'ALEXNET_ARGUMENT', /^architecture must be an object, got 'paper'\.$/],
	[
		{architecture: with2({type: 'maxpool'})},
		'ALEXNET_ARGUMENT',
		/^architecture\.layers\[2\]\.type must be one of conv2d, /,
	],
	[
		{architecture: with2({stride: 0})},
		'ALEXNET_ARGUMENT',
		/^architecture\.layers\[2\]\.stride must be an integer of at/,
	],
	[{architecture: with2({name: 'conv1'})}, 'ALEXNET_ARGUMENT', /^architecture\.layers must be layers with a name each/],
	[{architecture: with2({size: 12})}, 'ALEXNET_SHAPE', /^pool1 has nothing to read/],
	[{architecture: tinyNet(), labels: ['a', 'b']}, 'ALEXNET_SHAPE', /an output for each of the 2 labels/],
	[{architecture: tinyNet(), classes: 4}, 'ALEXNET_SHAPE', /an output for each of the 4 labels/],
	[
		{architecture: tinyNet(), init: 'he', lrn: false},
		'ALEXNET_ARGUMENT',
		/^architecture is a whole net, and init, lrn would change a preset: leave out either\.$/,
	],
];

for (const [options, code, message] of refused) {
	test(`refused: ${message.source}`, async (t) => {
		await t.throwsAsync(AlexNet.create(options), {code, message});
	});
}
