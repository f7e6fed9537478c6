// Every preset has its layers and numbers, and takes the same step on every device and placement.
import test from 'ava';
import {listDevices, openDevice} from '../../lib/device/device.ts';
import {alexnet, type ArchitectureOptions} from '../../lib/net/alexnet.ts';
import {presets, type Preset} from '../../lib/net/presets/index.ts';
import {layerShapes, parametersOf} from '../../lib/net/shapes.ts';
import {checkSteps} from '../../lib/selftest/check-steps.ts';
import {Random} from '../../lib/selftest/random.ts';
import {TestedDevice} from '../../lib/selftest/tested-device.ts';
import {drawTask, takeStep} from '../../lib/selftest/training-step.ts';
import {testOn} from '../helpers/devices.ts';
import {gather} from '../helpers/faulty-subject.ts';
import {smallPreset} from '../helpers/presets.ts';

const names = Object.keys(presets) as Preset[];
const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));

/** The layers in order, as the nets' descriptions tell them, and how many parameters 1000 classes take. */
const known: Readonly<Record<Preset, {crop: number; order: string; parameters: number}>> = {
	paper: {
		crop: 224,
		order: 'conv relu lrn pool conv relu lrn pool conv relu conv relu conv relu pool fc relu drop fc relu drop fc',
		parameters: 60_965_224,
	},
	source2012: {
		crop: 224,
		order: 'conv lrn pool relu conv relu lrn pool conv relu conv relu conv pool relu fc relu drop fc relu drop fc',
		parameters: 60_965_224,
	},
	caffe: {
		crop: 227,
		order: 'conv relu lrn pool conv relu lrn pool conv relu conv relu conv relu pool fc relu drop fc relu drop fc',
		parameters: 60_965_224,
	},
	caffenet: {
		crop: 227,
		order: 'conv relu pool lrn conv relu pool lrn conv relu conv relu conv relu pool fc relu drop fc relu drop fc',
		parameters: 60_965_224,
	},
	owt: {
		crop: 224,
		order: 'conv relu pool conv relu pool conv relu conv relu conv relu pool drop fc relu drop fc relu fc',
		parameters: 61_100_840,
	},
};

function orderOf(options: ArchitectureOptions): string {
	const words: Partial<Record<string, string>> = {
		conv2d: 'conv',
		maxPool: 'pool',
		activate: '',
		linear: 'fc',
		dropout: 'drop',
	};
	const told = alexnet(options).layers.flatMap((spec) => [
		words[spec.type] ?? spec.type,
		'activation' in spec && spec.activation !== 'none' ? spec.activation : '',
	]);
	return told.filter((word) => word !== '').join(' ');
}

for (const preset of names) {
	test(`${preset} is put together as its description says`, (t) => {
		t.is(orderOf({preset, classes: 10}), known[preset].order);
		t.is(alexnet({preset, classes: 10}).crop, known[preset].crop);
		const layers = layerShapes(alexnet({preset, classes: 1000}), 1);
		t.is(
			layers.reduce((sum, layer) => sum + parametersOf(layer), 0),
			known[preset].parameters,
		);
	});

	for (const precision of ['fp32', 'bf16'] as const) {
		test.serial(`${preset} in small takes a step of every layer (${precision})`, async (t) => {
			const architecture = smallPreset({preset, init: 'he'});
			const {loss, gradients, before, after} = await takeStep(drawTask(architecture, 4, precision, t.title), ['cpu:0']);
			t.true(Number.isFinite(loss), `${loss}`);
			for (const [name, gradient] of gradients) {
				t.true(gradient.some((value) => value !== 0) && gradient.every(Number.isFinite), name);
				t.notDeepEqual(after.get(name), before.get(name), name);
			}
		});
	}
}

/** Everything but on one CPU, which the others are compared with. */
const placementsOf = (preset: Preset): string[][] => [
	...(presets[preset].columns === 2 && presets[preset].lrn?.reads !== 'both'
		? [['cpu:0', 'cpu:1'], ...boards.slice(0, 1).map((id) => [id, id])]
		: []),
	...boards.slice(0, 1).map((id) => [id]),
];

for (const preset of names) {
	for (const ids of placementsOf(preset)) {
		testOn(ids, `${preset} in small takes the CPU's step [${ids.join(', ')}]`, async (t) => {
			const devices = ids.map((id) => new TestedDevice(id, openDevice));
			const architecture = smallPreset({preset, init: 'he'});
			const kinks = {fp32: 0, bf16: 0};
			const step = {name: t.title, architecture, images: 4, draws: 3, kinks};
			const seed = new Random(t.title).integer(2 ** 31);
			for (const {outcome, failures} of await gather(checkSteps([devices], step, {seed, takeStep}))) {
				t.deepEqual([outcome, failures], ['passed', []]);
			}
		});
	}
}

test('a preset that normalizes across columns is refused on two devices, and runs on one', async (t) => {
	for (const preset of ['caffe', 'caffenet'] as const) {
		const task = drawTask(smallPreset({preset}), 2, 'fp32', preset);
		await t.throwsAsync(takeStep(task, ['cpu:0', 'cpu:1']), {
			code: 'ALEXNET_ARGUMENT',
			message: 'lrn1 normalizes across both columns, so they cannot be on a device each. Use one device.',
		});
		// Without it nothing is in the way.
		const {loss} = await takeStep({...task, architecture: smallPreset({preset, lrn: false})}, ['cpu:0', 'cpu:1']);
		t.true(Number.isFinite(loss));
	}
});

test('options change every preset', (t) => {
	for (const preset of names) {
		const order = orderOf({preset, classes: 10});
		const without = (word: string): string => order.replaceAll(new RegExp(` ${word}\\b`, 'g'), '');
		t.is(orderOf({preset, classes: 10, lrn: false}), without('lrn'));
		t.is(orderOf({preset, classes: 10, dropout: 0}), without('drop'));
		t.is(orderOf({preset, classes: 10, activation: 'tanh'}), order.replaceAll('relu', 'tanh'));
		const pools = alexnet({preset, classes: 10, pooling: '2/2'}).layers.filter(({type}) => type === 'maxPool');
		t.deepEqual(
			pools.map((pool) => 'size' in pool && pool.size),
			[2, 2, 2],
		);
		t.is(alexnet({preset, classes: 10, columns: 1}).columns, 1);
	}
});

test('a preset of one column has no second one', (t) => {
	t.is(alexnet({preset: 'owt', classes: 10}).columns, 1);
	t.throws(() => alexnet({preset: 'owt', classes: 10, columns: 2}), {
		code: 'ALEXNET_ARGUMENT',
		message: "columns must be 1 with the preset 'owt', got 2.",
	});
});

test('each preset starts as its source does, unless init says otherwise', (t) => {
	const startOf = (options: ArchitectureOptions): unknown[] =>
		alexnet(options).layers.flatMap((spec) => ('initial' in spec ? [spec.initial] : []));
	const positive = (deviations: number[], bias: number): unknown[] =>
		deviations.map((deviation, place) => ({deviation, bias: [1, 3, 4, 5, 6].includes(place) ? bias : 0}));
	const caffe = [0.01, 0.01, 0.01, 0.01, 0.01, 0.005, 0.005, 0.01];
	const expected: Readonly<Record<Preset, unknown[]>> = {
		paper: positive(Array<number>(8).fill(0.01), 1),
		source2012: positive([0.01, 0.01, 0.03, 0.03, 0.03, 0.01, 0.01, 0.01], 1),
		caffe: positive(caffe, 0.1),
		caffenet: positive(caffe, 1),
		owt: startOf({classes: 10, init: 'he'}),
	};
	for (const preset of names) {
		t.deepEqual(startOf({preset, classes: 10}), expected[preset], preset);
		t.deepEqual(startOf({preset, classes: 10, init: 'paper'}), expected.paper, preset);
	}
});
