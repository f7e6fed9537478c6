// Frozen layers: they keep their bytes and take no memory, and no other layer learns otherwise for it.
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {elementsOf} from '../../lib/device/memory.ts';
import {listDevices} from '../../lib/device/device.ts';
import {Model} from '../../lib/net/model.ts';
import type {ModelOptions} from '../../lib/net/options.ts';
import {testOn} from '../helpers/devices.ts';
import {meetingNet, tinyModel, tinyPictures} from '../helpers/networks.ts';

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const placements = [['cpu:0'], ['cpu:0', 'cpu:1'], ...boards.slice(0, 1).flatMap((id) => [[id], [id, id]])];

/** Layers to freeze: below all that learn, between, and all but one that is on the first device alone. */
const choices = [
	['conv1', 'conv2'],
	['conv1', 'conv3', 'fc5'],
	['conv1', 'conv2', 'conv3', 'fc5', 'fc6'],
] as const;

/** A seed by the clock: what must hold, holds for any pictures. */
const seed = Date.now();
const batch = (step: number) => tinyPictures(16, `frozen ${seed} ${step}`);

const netOf = (options: Partial<ModelOptions>): Promise<Model> => tinyModel({architecture: meetingNet(), ...options});
const isOf = (layers: readonly string[], parameter: string): boolean => layers.includes(parameter.split('.')[0] ?? '');

for (const devices of placements) {
	for (const precision of ['fp32', 'bf16'] as const) {
		for (const freeze of choices) {
			const title = `[${devices.join(', ')}] ${precision}, ${freeze.join(', ')} frozen`;

			testOn(
				devices,
				`${title}: their bytes stay, and the first step changes the others as if they learned`,
				async (t) => {
					await using whole = await netOf({devices, precision});
					await using part = await netOf({devices, precision, freeze});
					const initial = await whole.getParameters();
					t.deepEqual(await part.getParameters(), initial);
					t.deepEqual(await part.trainStep(batch(0)), await whole.trainStep(batch(0)), `seed ${seed}`);
					const [gradients, others] = [await part.gradients(), await whole.gradients()];
					t.deepEqual(
						[...gradients.keys()],
						[...initial.keys()].filter((name) => !isOf(freeze, name)),
					);
					for (const [name, gradient] of gradients) t.deepEqual(gradient, others.get(name), `gradient of ${name}`);
					const stepped = await whole.getParameters();
					for (const [name, values] of await part.getParameters()) {
						t.deepEqual(values, (isOf(freeze, name) ? initial : stepped).get(name), name);
						t.notDeepEqual(stepped.get(name), initial.get(name), name);
					}
					for (let step = 1; step < 4; ++step) await part.trainStep(batch(step));
					for (const [name, values] of await part.getParameters()) {
						if (isOf(freeze, name)) t.deepEqual(values, initial.get(name), `${name} after four steps`);
					}
				},
			);
		}
	}
}

test('frozen layers take no momentum and gradients, and what is below all that learn no gradients of its outputs', async (t) => {
	const bytes = async (freeze: readonly string[]): Promise<{net: number; step: number}> => {
		await using model = await netOf({freeze});
		const net = model.memory.bytes;
		await model.trainStep(batch(0));
		return {net, step: model.memory.bytes - net};
	};
	const [none, lower, upper] = [await bytes([]), await bytes(['conv1', 'conv2']), await bytes(['fc5', 'fc6'])];
	await using model = await netOf({});
	const saved = (layers: readonly string[]): number => {
		const own = model.parameters.filter(({name}) => isOf(layers, name));
		return own.reduce((sum, {shape}) => sum + 2 * 4 * elementsOf(shape), 0);
	};
	t.is(none.net - lower.net, saved(['conv1', 'conv2']));
	t.is(none.net - upper.net, saved(['fc5', 'fc6']));
	t.is(upper.step, none.step, 'gradients pass through layers that do not learn');
	t.true(lower.step < none.step, `${lower.step} of ${none.step} bytes for a step`);
});

test('a checkpoint remembers what is frozen, without momentum for it: training goes on bit for bit', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-frozen-'));
	t.teardown(() => rm(folder, {recursive: true}));
	const path = join(folder, 'net.safetensors');
	const freeze = ['conv1', 'fc5'];
	await using model = await netOf({freeze, lastLayerLearningRateScale: 3});
	for (let step = 0; step < 2; ++step) await model.trainStep(batch(step));
	await saveCheckpoint(model, path);
	await using loaded = await loadCheckpoint(path, {}, (options) => new Model(options));
	t.deepEqual(loaded.frozen, freeze);
	t.is(loaded.sgd.lastLayerLearningRateScale, 3);
	for (let step = 2; step < 4; ++step) {
		t.deepEqual(await loaded.trainStep(batch(step)), await model.trainStep(batch(step)));
	}
	t.deepEqual(await loaded.getParameters(), await model.getParameters());
	const bytes = await readFile(path);
	const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString();
	t.true(header.includes('"momentum.conv2.weight"'));
	t.false(header.includes('"momentum.conv1.weight"') || header.includes('"momentum.fc5.bias"'));
});

test('the last layer learns at a rate of its own', async (t) => {
	const scale = 4;
	await using plain = await netOf({momentum: 0, weightDecay: 0});
	await using scaled = await netOf({momentum: 0, weightDecay: 0, lastLayerLearningRateScale: scale});
	const before = await plain.getParameters();
	for (const model of [plain, scaled]) await model.trainStep(batch(0));
	const [one, other, gradients] = [await plain.getParameters(), await scaled.getParameters(), await plain.gradients()];
	for (const [name, values] of one) {
		if (!name.startsWith('fc8.')) {
			t.deepEqual(other.get(name), values, name);
			continue;
		}
		const rate = Math.fround(plain.sgd.learningRate * scale * (name.endsWith('bias') ? 2 : 1));
		const expected = before
			.get(name)!
			.map((weight, index) => weight - Math.fround(rate * gradients.get(name)![index]!));
		expected.forEach((weight, index) =>
			t.true(Math.abs(weight - other.get(name)![index]!) <= 1e-7 * Math.abs(weight) + 1e-9),
		);
	}
});

test('layers that cannot be frozen', async (t) => {
	const refuse = (freeze: readonly string[], message: RegExp): void => {
		t.throws(() => new Model({architecture: meetingNet(), labels: ['a', 'b', 'c'], freeze}), {
			code: 'ALEXNET_ARGUMENT',
			message,
		});
	};
	refuse(['conv2', 'con1'], /no layer 'con1'\. Did you mean 'conv1'\?/);
	refuse(['classifier'], /no layer 'classifier'\. There are: conv1, lrn1, .*fc8\.$/);
	refuse(['pool1'], /pool1 cannot be frozen, as it has no weights\. Those that have: conv1, conv2, /);
	refuse(['conv1', 'conv1'], /freeze must be names that differ/);
	refuse(['conv1', 'conv2', 'conv3', 'fc5', 'fc6', 'fc8'], /none is left to learn/);
	await using model = await netOf({freeze: ['conv1'], inferenceOnly: true});
	await t.throwsAsync(model.trainStep(batch(0)), {code: 'ALEXNET_ARGUMENT', message: /inferenceOnly/});
});
