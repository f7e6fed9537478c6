// The paper's network by its numbers: FACTS of section 3.5 and of the tables that follow from it.
import test from 'ava';
import {alexnet} from '../../lib/net/alexnet.ts';
import type {LayerSpec} from '../../lib/net/layers/registry.ts';
import {pictures, placeColumns} from '../../lib/net/columns.ts';
import {openDevice} from '../../lib/device/device.ts';
import {Memory} from '../../lib/device/memory.ts';

/** Parameters by layer and shapes of activations, as the layers themselves tell them. */
function describe(options: Parameters<typeof alexnet>[0]): {parameters: Record<string, number>; shapes: string[]} {
	const architecture = alexnet(options);
	const device = openDevice('cpu');
	const memory = new Memory(device);
	try {
		const layers = placeColumns(architecture, [memory], {precision: 'float32'}, 0);
		const parameters: Record<string, number> = {};
		let layout = pictures(1, architecture.crop, 1);
		const shapes = layers.map((layer) => {
			const sum = layer.parameters.reduce((total, {parameter}) => total + parameter.elements, 0);
			if (sum > 0) parameters[layer.name] = sum;
			layout = layer.output(layout);
			return `${layer.name} ${layout.shapes[0]!.slice(1).join('x')}`;
		});
		return {parameters, shapes};
	} finally {
		memory.dispose();
		device.close();
	}
}

test('parameters of every layer, 60,965,224 at 1000 classes', (t) => {
	const {parameters} = describe({classes: 1000});
	t.deepEqual(parameters, {
		conv1: 34_944,
		conv2: 307_456,
		conv3: 885_120,
		conv4: 663_936,
		conv5: 442_624,
		fc6: 37_752_832,
		fc7: 16_781_312,
		fc8: 4_097_000,
	});
	t.is(
		Object.values(parameters).reduce((sum, count) => sum + count),
		60_965_224,
	);
});

test('shapes of every activation', (t) => {
	t.deepEqual(describe({classes: 1000}).shapes, [
		'conv1 55x55x96',
		'lrn1 55x55x96',
		'pool1 27x27x96',
		'conv2 27x27x256',
		'lrn2 27x27x256',
		'pool2 13x13x256',
		'conv3 13x13x384',
		'conv4 13x13x384',
		'conv5 13x13x256',
		'pool5 6x6x256',
		'fc6 4096',
		'dropout6 4096',
		'fc7 4096',
		'dropout7 4096',
		'fc8 1000',
	]);
});

test('the one-column net halves conv1 to conv4 and keeps the rest (paper 3.2, footnote)', (t) => {
	const {shapes} = describe({classes: 10, columns: 1});
	t.true(shapes.includes('conv1 55x55x48'));
	t.true(shapes.includes('conv4 13x13x192'));
	t.true(shapes.includes('conv5 13x13x256'));
	t.true(shapes.includes('fc6 4096'));
});

test('2/2 pooling keeps every shape', (t) => {
	t.deepEqual(describe({classes: 10, pooling: '2/2'}).shapes, describe({classes: 10}).shapes);
});

test('what the paper takes away can be taken away', (t) => {
	const kinds = (options: Partial<Parameters<typeof alexnet>[0]>): Set<LayerSpec['type']> =>
		new Set(alexnet({classes: 10, ...options}).layers.map(({type}) => type));
	t.true(kinds({}).has('lrn'));
	t.false(kinds({lrn: false}).has('lrn'));
	t.true(kinds({}).has('dropout'));
	t.false(kinds({dropout: 0}).has('dropout'));
	const activations = alexnet({classes: 10, activation: 'tanh'}).layers.flatMap((layer) =>
		'activation' in layer ? [layer.activation] : [],
	);
	t.deepEqual(activations, [...Array.from({length: 7}, () => 'tanh'), 'none']);
});

test('initial deviations and biases by layer', (t) => {
	const initials = (init: 'paper' | 'source2012' | 'he'): unknown[] =>
		alexnet({classes: 10, init}).layers.flatMap((layer) => ('initial' in layer ? [layer.initial] : []));
	const paper = [0, 1, 0, 1, 1, 1, 1, 0].map((bias) => ({deviation: 0.01, bias}));
	t.deepEqual(initials('paper'), paper);
	t.deepEqual(
		initials('source2012'),
		paper.map((initial, index) => ({...initial, deviation: index >= 2 && index <= 4 ? 0.03 : 0.01})),
	);
	t.deepEqual(
		initials('he'),
		paper.map((_, index) => ({...(index === 0 || index === 7 ? {deviation: 0.01} : {gain: 0.6}), bias: 0})),
	);
});

test('options that cannot be', (t) => {
	const refuse = (options: object, message: RegExp): void => {
		t.throws(() => alexnet({classes: 10, ...options}), {code: 'ALEXNET_ARGUMENT', message});
	};
	refuse({classes: 1}, /classes/);
	refuse({classes: 2.5}, /classes/);
	refuse({preset: 'vgg'}, /preset must be one of paper/);
	refuse({init: 'xavier'}, /init/);
	refuse({activation: 'gelu'}, /activation/);
	refuse({pooling: '3/3'}, /pooling/);
	refuse({dropout: 1}, /dropout/);
	refuse({columns: 3}, /columns/);
});
