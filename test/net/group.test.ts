// Ranks that share a batch compute what one rank computes of all of it.
import test from 'ava';
import type {Model} from '../../lib/net/model.ts';
import type {Group, Slice} from '../../lib/net/group.ts';
import {shareOf} from '../../lib/net/group.ts';
import type {StepResult} from '../../lib/net/options.ts';
import {localGroups} from '../helpers/local-group.ts';
import {meetingNet, tinyModel, tinyPictures} from '../helpers/networks.ts';

const pixels = 32 * 32 * 3;

/** Steps on the same batches by ranks in this process, a model each; one rank has no group. */
async function trained(
	ranks: number,
	total: number,
	steps: number,
	devices: readonly string[] = ['cpu'],
): Promise<{results: StepResult[]; gradients: Map<string, Float32Array>; weights: Map<string, Float32Array>[]}> {
	const groups: (Group | undefined)[] = ranks === 1 ? [undefined] : localGroups(ranks);
	const models = await Promise.all(
		groups.map((group) => tinyModel({architecture: meetingNet(), devices, threads: 1, group, batchSize: total})),
	);
	try {
		const results: StepResult[] = [];
		for (let step = 0; step < steps; ++step) {
			const batch = tinyPictures(total, `batch ${step}`);
			const all = await Promise.all(models.map((model) => model.trainStep(shareIn(model, batch, total))));
			for (const result of all) if (JSON.stringify(result) !== JSON.stringify(all[0])) throw new Error('ranks differ');
			results.push(all[0]!);
		}
		const weights = await Promise.all(models.map((model) => model.getParameters()));
		return {results, gradients: await models[0]!.gradients(), weights};
	} finally {
		await Promise.all(models.map((model) => model.dispose()));
	}
}

function shareIn(
	{group}: Model,
	{images, labels}: ReturnType<typeof tinyPictures>,
	total: number,
): {images: Uint8Array; labels: Int32Array; slice?: Slice} {
	if (!group) return {images, labels};
	const {start, end} = shareOf(total, group);
	return {
		images: images.subarray(start * pixels, end * pixels),
		labels: labels.slice(start, end),
		slice: {start, total},
	};
}

/** The largest difference of two sets of values, by the largest value. */
function distance(one: Map<string, Float32Array>, two: Map<string, Float32Array>): number {
	let most = 0;
	for (const [name, values] of one) {
		const others = two.get(name)!;
		const largest = values.reduce((so, value) => Math.max(so, Math.abs(value)), 0) || 1;
		values.forEach((value, index) => (most = Math.max(most, Math.abs(value - others[index]!) / largest)));
	}
	return most;
}

for (const devices of [['cpu:0'], ['cpu:0', 'cpu:1']]) {
	for (const [ranks, total] of [
		[2, 16],
		[3, 16],
		[4, 13],
	] as const) {
		test(`${ranks} ranks with ${total} pictures on ${devices.join(' and ')} learn as one does`, async (t) => {
			const [alone, shared] = [await trained(1, total, 1, devices), await trained(ranks, total, 1, devices)];
			t.true(Math.abs(alone.results[0]!.loss - shared.results[0]!.loss) < 1e-5);
			t.is(alone.results[0]!.top1, shared.results[0]!.top1);
			// A sum of a few hundred products in another order: a few units in the last place of the largest.
			t.true(distance(alone.gradients, shared.gradients) < 2e-5, String(distance(alone.gradients, shared.gradients)));
		});
	}
}

test('ten steps end with the same weights on all ranks, those of one rank but for rounding', async (t) => {
	const [alone, shared] = [await trained(1, 14, 10), await trained(4, 14, 10)];
	for (const weights of shared.weights) t.is(distance(shared.weights[0]!, weights), 0);
	t.true(distance(alone.weights[0]!, shared.weights[0]!) < 1e-4);
	t.true(Math.abs(alone.results[9]!.loss - shared.results[9]!.loss) < 1e-3);
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

test('a rank that fails in a step ends the step of the others', async (t) => {
	const groups = localGroups(2);
	const models = await Promise.all(groups.map((group) => tinyModel({group, threads: 1})));
	const {images, labels} = tinyPictures(4, 'alone');
	const step = models[0]!.trainStep({images, labels});
	groups[1]!.fail(new Error('its machine burns'));
	await t.throwsAsync(step, {message: /its machine burns/});
	await Promise.all(models.map((model) => model.dispose()));
});
