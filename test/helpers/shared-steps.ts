// The same training steps, whole or on a rank's share of each batch.
import {shareOf, type Group, type Slice, type Wire} from '../../lib/net/group.ts';
import type {Model} from '../../lib/net/model.ts';
import type {StepResult} from '../../lib/net/options.ts';
import {Random} from '../../lib/selftest/random.ts';
import {meetingNet, tinyModel, tinyPictures} from './networks.ts';

const pixels = 32 * 32 * 3;

export interface Steps {
	results: StepResult[];
	/** Of the last step. */
	gradients: Map<string, Float32Array>;
	weights: Map<string, Float32Array>;
}

export interface StepsOptions {
	/** Pictures of a batch of all ranks. */
	total: number;
	steps: number;
	devices?: readonly string[];
	/** Type of gradients between ranks. */
	wire?: Wire;
}

export async function stepsOf(group: Group | undefined, {total, steps, devices, wire}: StepsOptions): Promise<Steps> {
	const model = await tinyModel({architecture: meetingNet(), devices, threads: threadsOn(devices), group, wire});
	try {
		const results: StepResult[] = [];
		for (let step = 0; step < steps; ++step) {
			results.push(await model.trainStep(shareIn(model, tinyPictures(total, `batch ${step}`), total)));
		}
		return {results, gradients: await model.gradients(), weights: await model.getParameters()};
	} finally {
		await model.dispose();
	}
}

function threadsOn(devices: readonly string[] = ['cpu']): number | undefined {
	return devices.some((id) => id.startsWith('cuda')) ? undefined : 1;
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

/** The largest difference of two sets of values, in shares of the largest value of its array. */
export function distance(one: Map<string, Float32Array>, two: Map<string, Float32Array>): number {
	let most = 0;
	for (const [name, values] of one) {
		const others = two.get(name)!;
		const largest = values.reduce((so, value) => Math.max(so, Math.abs(value)), 0) || 1;
		values.forEach((value, index) => (most = Math.max(most, Math.abs(value - others[index]!) / largest)));
	}
	return most;
}

/** Values of all magnitudes, some that bfloat16 holds exactly or in the middle of two, and what is no number. */
export function mixedValues(seed: string, length: number): Float32Array {
	const random = new Random(seed);
	const odd = [NaN, Infinity, -Infinity, 0, -0, 1e-40, 3.4e38, 1 + 2 ** -8, -1 - 3 * 2 ** -8];
	return Float32Array.from({length}, () => {
		if (random.integer(50) === 0) return odd[random.integer(odd.length)]!;
		return (2 * random.uniform() - 1) * 2 ** random.integer(20);
	});
}
