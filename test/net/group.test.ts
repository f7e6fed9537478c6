// Ranks that share a batch compute what one rank computes of all of it.
import test from 'ava';
import {listDevices} from '../../lib/device/device.ts';
import {roundTo} from '../../lib/selftest/bfloat16.ts';
import {Random} from '../../lib/selftest/random.ts';
import {testOn} from '../helpers/devices.ts';
import {localGroups} from '../helpers/local-group.ts';
import {tinyModel, tinyPictures} from '../helpers/networks.ts';
import {distance, stepsOf, type Steps, type StepsOptions} from '../helpers/shared-steps.ts';

/** What each of so many ranks in this process ends with. */
async function together(ranks: number, options: StepsOptions): Promise<Steps[]> {
	return Promise.all(localGroups(ranks).map((group) => stepsOf(group, options)));
}

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const cases: readonly (readonly [ranks: number, total: number, devices: readonly string[]])[] = [
	[1, 16, ['cpu:0']],
	[2, 16, ['cpu:0']],
	[3, 16, ['cpu:0', 'cpu:1']],
	[4, 13, ['cpu:0', 'cpu:1']],
	...(boards[0] ? [[2, 7, [boards[0]]] as const] : []),
	...(boards[0] && boards[1] ? [[2, 7, [boards[0], boards[1]]] as const] : []),
];

for (const [ranks, total, devices] of cases) {
	testOn(devices, `${ranks} ranks with ${total} pictures on ${devices.join(' and ')} learn as one does`, async (t) => {
		const options = {total, steps: 1, devices};
		const [alone, [shared]] = [await stepsOf(undefined, options), await together(ranks, options)];
		t.true(Math.abs(alone.results[0]!.loss - shared!.results[0]!.loss) < 1e-5);
		t.is(alone.results[0]!.top1, shared!.results[0]!.top1);
		// A sum of a few hundred products in another order: a few units in the last place of the largest.
		const apart = distance(alone.gradients, shared!.gradients);
		t.true(apart < 2e-5, String(apart));
	});
}

test('ten steps end with the same weights on all ranks, those of one rank but for rounding', async (t) => {
	const options = {total: 14, steps: 10};
	const [alone, shared] = [await stepsOf(undefined, options), await together(4, options)];
	for (const {weights, results} of shared) {
		t.is(distance(shared[0]!.weights, weights), 0);
		t.deepEqual(results, shared[0]!.results);
	}
	t.true(distance(alone.weights, shared[0]!.weights) < 1e-4);
	t.true(Math.abs(alone.results[9]!.loss - shared[0]!.results[9]!.loss) < 1e-3);
});

test('gradients that are sent in bf16 are rounded once they are added up, and ten steps end near those in fp32', async (t) => {
	const isRounded = ({gradients}: Steps): boolean => {
		return [...gradients.values()].every((values) => values.every((value) => roundTo('bfloat16', value) === value));
	};
	for (const steps of [1, 10]) {
		const exact = await together(3, {total: 14, steps});
		const sent = await together(3, {total: 14, steps, wire: 'bf16'});
		t.deepEqual(
			[exact, sent].map(([first]) => isRounded(first!)),
			[false, true],
		);
		for (const {weights} of sent) t.is(distance(sent[0]!.weights, weights), 0);
		if (steps === 1) t.true(distance(exact[0]!.gradients, sent[0]!.gradients) < 2 ** -6);
		t.true(Math.abs(exact[0]!.results.at(-1)!.loss - sent[0]!.results.at(-1)!.loss) < 5e-3);
	}
});

test('sums in bf16 are off by what two roundings to 8 bits make, and not by less', async (t) => {
	const random = new Random(t.title);
	const given = Array.from({length: 3}, () => Float32Array.from({length: 1000}, () => random.uniform() - 0.3));
	const summed = given.map((values) => values.slice());
	await Promise.all(localGroups(3).map((group, rank) => group.sum(summed[rank]!, 1, 'bf16')));
	let [within, worst] = [true, 0];
	for (let place = 0; place < 1000; ++place) {
		const values = given.map((each) => each[place]!);
		const [exact, magnitudes] = [values, values.map(Math.abs)].map((each) => each.reduce((sum, value) => sum + value));
		const error = Math.abs(summed[0]![place]! - exact!) / (magnitudes! + Math.abs(exact!));
		within &&= error <= 2 ** -8 * (1 + 2 ** -8);
		worst = Math.max(worst, error);
	}
	t.true(within);
	t.true(worst > 2 ** -10, String(worst));
});

test('a rank on its own sends nothing: its gradients are exact with any type between ranks', async (t) => {
	const [exact, sent] = [
		await together(1, {total: 5, steps: 1}),
		await together(1, {total: 5, steps: 1, wire: 'bf16'}),
	];
	t.deepEqual(sent[0]!.gradients, exact[0]!.gradients);
});

test('masks are those of the place in the whole batch: with others, the gradients are far apart', async (t) => {
	const models = await Promise.all([0, 4].map(() => tinyModel({group: localGroups(1)[0], threads: 1})));
	const {images, labels} = tinyPictures(4, 'masks');
	const gradients: Map<string, Float32Array>[] = [];
	for (const [index, model] of models.entries()) {
		// One rank that says it has the pictures from 4 on, and none has the others.
		const slice = {start: index * 4, total: 4};
		await model.trainStep({images, labels, slice, indices: [0, 1, 2, 3], epoch: 1});
		gradients.push(await model.gradients());
		await model.dispose();
	}
	t.true(distance(gradients[0]!, gradients[1]!) > 1e-2);
});

test('where the slices do not make up the batch, all ranks refuse, and no weight changes', async (t) => {
	const models = await Promise.all(localGroups(2).map((group) => tinyModel({group, threads: 1})));
	const before = await models[1]!.getParameters();
	const {images, labels} = tinyPictures(4, 'too few');
	const steps = models.map((model, rank) => model.trainStep({images, labels, slice: {start: rank * 4, total: 9}}));
	for (const step of steps) await t.throwsAsync(step, {message: /8 pictures together, of a batch of 9/});
	t.is(distance(before, await models[1]!.getParameters()), 0);
	await Promise.all(models.map((model) => model.dispose()));
});

test('a rank that fails ends the step of the others', async (t) => {
	const groups = localGroups(2);
	const models = await Promise.all(groups.map((group) => tinyModel({group, threads: 1})));
	const {images, labels} = tinyPictures(4, 'alone');
	const step = models[0]!.trainStep({images, labels});
	groups[1]!.fail(new Error('its machine burns'));
	await t.throwsAsync(step, {message: /its machine burns/});
	await Promise.all(models.map((model) => model.dispose()));
});
