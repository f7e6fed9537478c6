// The paper's net at batch 2: a training step on every placement that is here gives what the CPU gives. And a small net
// that learns on two GPUs as on one.
import test from 'ava';
import {alexnet} from '../../lib/net/alexnet.ts';
import {listDevices} from '../../lib/device/device.ts';
import {Model} from '../../lib/net/model.ts';
import type {StepPrecision} from '../../lib/selftest/training-step.ts';
import {testOn} from '../helpers/devices.ts';
import {accuracyOfTraining} from '../helpers/networks.ts';
import {Random} from '../../lib/selftest/random.ts';
import {unitRoundoff} from '../../lib/selftest/tolerance.ts';
import {relativeDistance} from '../helpers/tolerance.ts';

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const placements = [
	['cpu:0', 'cpu:1'],
	...boards.slice(0, 1).map((id) => [id]),
	...(boards.length > 1 ? [boards.slice(0, 2)] : boards.map((id) => [id, id])),
];

const classes = 1000;
const random = new Random('two pictures');
const images = Uint8Array.from({length: 2 * 256 * 256 * 3}, () => random.integer(256));
const labels = [7, 993];

interface Outcome {
	loss: number;
	/** Gradients and updated weights, by name. */
	tensors: ReadonlyMap<string, Float32Array>;
}

/** @param change what happens to the initial weights before the step */
async function stepOn(
	devices: readonly string[],
	precision: StepPrecision,
	change?: (name: string, weights: Float32Array) => void,
): Promise<Outcome> {
	// source2012 starts with gradients of a size in every layer; the paper's own leave the lower ones near zero.
	const architecture = alexnet({classes, init: 'source2012'});
	const names = Array.from({length: classes}, (_, index) => `class ${index}`);
	await using model = new Model({architecture, labels: names, devices, precision, batchSize: 2, seed: 11});
	await model.initialize();
	if (change) {
		const parameters = await model.getParameters();
		for (const [name, weights] of parameters) change(name, weights);
		await model.setParameters(parameters);
	}
	const {loss} = await model.trainStep({images, labels});
	const tensors = new Map<string, Float32Array>();
	for (const [name, values] of await model.gradients()) tensors.set(`gradient of ${name}`, values);
	for (const [name, values] of await model.getParameters()) tensors.set(name, values);
	return {loss, tensors};
}

function distances(a: Outcome, b: Outcome): Map<string, number> {
	const found = new Map([['loss', Math.abs(a.loss - b.loss) / a.loss]]);
	for (const [name, values] of a.tensors) found.set(name, relativeDistance(values, b.tensors.get(name)!));
	return found;
}

/**
 * How far rounding may take each result. A rounding may change which value of a window is the maximum, or the sign of one
 * near zero; what flows back then differs by the whole of it, so distances are not proportional to roundings. They are
 * measured: the CPU's own step with weights off by `share` each, which is more than the roundings on the way through the
 * net come to (two for each of its 19 layers and direction in fp32; in bf16, where the same sums are rounded to the same
 * values but for ties, what is stored once more). Twice the larger of two such distances is permitted.
 */
const share = {fp32: 2 * 2 * 19 * unitRoundoff.float32, bf16: 2 * unitRoundoff.bfloat16};

async function permitted(right: Outcome, precision: StepPrecision): Promise<Map<string, number>> {
	const bounds = new Map<string, number>();
	for (const seed of ['first', 'second']) {
		const noise = new Random(seed);
		const shaken = await stepOn(['cpu:0'], precision, (_, weights) => {
			for (let i = 0; i < weights.length; ++i) weights[i]! *= 1 + share[precision] * (2 * noise.uniform() - 1);
		});
		for (const [name, distance] of distances(right, shaken)) {
			bounds.set(name, Math.max(bounds.get(name) ?? 0, 2 * distance));
		}
	}
	return bounds;
}

const references = new Map<StepPrecision, Promise<{right: Outcome; bounds: Map<string, number>}>>();

/** The CPU's step, and how far others may be from it; taken once. */
function reference(precision: StepPrecision): Promise<{right: Outcome; bounds: Map<string, number>}> {
	const take = async (): Promise<{right: Outcome; bounds: Map<string, number>}> => {
		const right = await stepOn(['cpu:0'], precision);
		return {right, bounds: await permitted(right, precision)};
	};
	const known = references.get(precision) ?? take();
	references.set(precision, known);
	return known;
}

async function beyond(outcome: Outcome, precision: StepPrecision): Promise<string[]> {
	const {right, bounds} = await reference(precision);
	const all = [...distances(right, outcome)];
	return all.flatMap(([name, distance]) => (distance <= bounds.get(name)! ? [] : [`${name}: ${distance}`]));
}

for (const precision of ['fp32', 'bf16'] as const) {
	for (const devices of placements) {
		testOn(devices, `the paper's net takes the CPU's step [${devices.join(', ')}] (${precision})`, async (t) => {
			t.deepEqual(await beyond(await stepOn(devices, precision), precision), []);
		});
	}

	test.serial(`a kernel that is left out shows (${precision})`, async (t) => {
		const wrong = await stepOn(['cpu:0'], precision, (name, weights) => {
			if (name === 'conv4.weight') weights.fill(0, 0, 192 * 9); // one of 384, [192, 3, 3]
		});
		t.not((await beyond(wrong, precision)).length, 0);
	});
}

if (boards[0]) {
	const [first, second] = [boards[0], boards[1] ?? boards[0]];
	testOn([first, second], `a small net learns on two GPUs as on one [${first}, ${second}]`, async (t) => {
		const [one, two] = [await accuracyOfTraining([first]), await accuracyOfTraining([first, second])];
		t.true(one > 0.9, `${one}`);
		t.is(two, one);
	});
}
