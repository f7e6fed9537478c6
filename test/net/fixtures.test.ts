// The whole net against PyTorch (scripts/make-fixtures.py): small nets of the same code. The full-size net is in
// test/full/.
import test from 'ava';
import {listDevices} from '../../lib/device/device.ts';
import type {Precision} from '../../lib/net/options.ts';
import {hasTf32, testOn} from '../helpers/devices.ts';
import {falls, Fixture, modelOf, observe, type Setup} from '../helpers/fixtures.ts';
import {mistakes} from '../helpers/mistakes.ts';

const precisions: readonly Precision[] = ['fp32', 'bf16'];

for (const net of ['two-columns', 'tanh', 'odd', 'orders']) {
	for (const {id} of listDevices()) {
		for (const precision of precisions) {
			testOn([id], `${net} in ${precision} on ${id} agrees with PyTorch`, async (t) => {
				const fixture = await Fixture.open(`${net}.safetensors`);
				const results = await observe(await fixture.setup(), precision, id);
				t.deepEqual(await fixture.differences(results, precision), []);
				t.deepEqual([...results.keys()].sort(), fixture.names.sort());
				t.true(falls(results.get('losses')!), 'the loss falls');
				await fixture.close();
			});
		}
	}
}

// Products in TF32 need a GPU of compute capability 8.0.
for (const net of ['two-columns', 'tanh', 'odd', 'orders']) {
	for (const {id} of listDevices().filter((device) => hasTf32(device.id))) {
		testOn([id], `${net} in tf32 on ${id} agrees with PyTorch`, async (t) => {
			const fixture = await Fixture.open(`${net}.safetensors`);
			const results = await observe(await fixture.setup(), 'tf32', id);
			t.deepEqual(await fixture.differences(results, 'tf32'), []);
			t.true(falls(results.get('losses')!), 'the loss falls');
			await fixture.close();
		});
	}
}

for (const [mistake, {net, make, precisions: shownIn = precisions}] of Object.entries(mistakes)) {
	for (const precision of shownIn) {
		test.serial(`the comparison in ${precision} shows when ${mistake}`, async (t) => {
			const fixture = await Fixture.open(`${net}.safetensors`);
			const results = await observe(make(await fixture.setup()), precision, 'cpu');
			t.not((await fixture.differences(results, precision)).length, 0);
			await fixture.close();
		});
	}
}

// Rounding hides small errors of the update in a bf16 trajectory, but the update itself is done in fp32: it must follow
// from the model's own gradients.
for (const precision of precisions) {
	test.serial(`two updates in ${precision} follow the formula`, async (t) => {
		const fixture = await Fixture.open('odd.safetensors');
		const setup = await fixture.setup();
		const updates = await twoUpdates(setup, precision);
		t.deepEqual(violations(updates, setup.options), []);
		const wrong: Partial<Setup['options']>[] = [
			{learningRate: 0.0031},
			{momentum: 0.91},
			{weightDecay: 0},
			{biasLearningRateScale: 1},
			{biasWeightDecay: 0},
		];
		for (const options of wrong) t.not(violations(updates, {...setup.options, ...options}).length, 0);
		await fixture.close();
	});
}

type Values = ReadonlyMap<string, Float32Array>;

interface Update {
	before: Values;
	gradients: Values;
	after: Values;
}

async function twoUpdates(setup: Setup, precision: Precision): Promise<Update[]> {
	await using model = await modelOf(setup, precision, 'cpu');
	const updates: Update[] = [];
	for (let step = 0; step < 2; ++step) {
		const before = await model.getParameters();
		await model.trainStep({images: setup.images, labels: setup.labels, augment: 'none'});
		updates.push({before, gradients: await model.gradients(), after: await model.getParameters()});
	}
	return updates;
}

/** Parameters that did not become w + v with v = momentum v - decay rate w - rate g (paper 5), within fp32's rounding. */
function violations(updates: readonly Update[], options: Setup['options']): string[] {
	const unit = 2 ** -24;
	const found = new Set<string>();
	for (const name of updates[0]!.before.keys()) {
		const bias = name.endsWith('.bias');
		const rate = options.learningRate * (bias ? options.biasLearningRateScale : 1);
		const decay = bias ? options.biasWeightDecay : options.weightDecay;
		const velocity = new Float64Array(updates[0]!.before.get(name)!.length);
		for (const {before, gradients, after} of updates) {
			const [old, gradient, value] = [before.get(name)!, gradients.get(name)!, after.get(name)!];
			for (let i = 0; i < velocity.length; ++i) {
				const terms = [options.momentum * velocity[i]!, -decay * rate * old[i]!, -rate * gradient[i]!];
				velocity[i] = terms[0]! + terms[1]! + terms[2]!;
				// Eight roundings reach v (three coefficients, three products, two sums), one w.
				const sizes = terms.reduce((sum, term) => sum + Math.abs(term), 0);
				const bound = unit * (8 * sizes + Math.abs(value[i]!));
				if (!(Math.abs(value[i]! - (old[i]! + velocity[i]!)) <= bound)) found.add(name);
			}
		}
	}
	return [...found];
}
