// How ranks begin to train: with the same pictures, settings and weights, those of rank 0.
import {createHash} from 'node:crypto';
import {breather} from '../base/breather.ts';
import type {PictureSource} from '../data/picture-source.ts';
import type {Statistics} from '../data/views.ts';
import {AlexNetError} from '../base/errors.ts';
import {packageVersion} from '../base/package.ts';
import type {Group} from '../net/group.ts';
import type {Model} from '../net/model.ts';
import type {Progress} from '../net/progress.ts';
import {contentsOf} from './same-pictures.ts';
import {exchange, fromFirst, requireSame, together} from './together.ts';

/** Bytes that a digest takes in one go: a few milliseconds. */
const atOnce = 4 * 2 ** 20;

/**
 * Compares what the ranks train, then gives all of them rank 0's progress, statistics and weights.
 *
 * @param settings of the training, by name
 * @param begin what rank 0 begins with
 * @throws ALEXNET_ARGUMENT on all ranks, where any has other pictures, settings or versions than rank 0.
 */
export async function startTogether(
	group: Group,
	model: Model,
	{
		source,
		validation,
		settings,
		begin,
	}: {
		source: PictureSource;
		validation: PictureSource | undefined;
		settings: Readonly<Record<string, unknown>>;
		begin: () => Promise<Progress>;
	},
): Promise<Progress> {
	const {architecture, precision, wire, seed, pcaScale, frozen} = model;
	// Each rank lists its pictures first, so that none waits for rank 0's while it has others.
	const pictures = (await exchange(group, () => contentsOf(source, validation, undefined)))[group.rank];
	await requireSame(group, {
		...{version: packageVersion, node: process.version, classes: model.labels, labels: source.labels},
		...{'the training pictures': pictures?.train, 'the held-out pictures': pictures?.validation},
		...{architecture, precision, wire, seed, pcaScale, frozen, ...settings},
	});
	const shared = await fromFirst(group, async () => {
		const progress = await begin();
		return {progress, step: model.step, sgd: model.sgd, statistics: model.statistics};
	});
	const {progress, step, sgd, statistics} = shared;
	source.leaveOut?.(progress.unreadable);
	validation?.leaveOut?.(progress.pictures.unread?.validation ?? []);
	if (group.rank > 0) Object.assign(model, {step, sgd, statistics: statistics satisfies Statistics});
	await shareWeights(group, model);
	return progress;
}

/** Rank 0's weights and momentum on all ranks, as they are read back there. */
async function shareWeights(group: Group, model: Model): Promise<void> {
	const digest = await model.exclusively(async () => {
		const hash = createHash('sha256');
		const breathe = breather();
		const most = Math.max(...model.parameters.map(({elements}) => elements));
		const [sent, there] = [new Float32Array(most), new Float32Array(most)];
		for (const parameter of model.parameters) {
			for (const contents of parameter.learns ? (['weights', 'velocity'] as const) : (['weights'] as const)) {
				const values = sent.subarray(0, parameter.elements);
				if (group.rank === 0) await parameter.read(contents, values);
				await group.broadcast(new Uint8Array(values.buffer, 0, values.byteLength));
				if (group.rank > 0) parameter.write(contents, values);
				const back = await parameter.read(contents, there.subarray(0, parameter.elements));
				for (let start = 0; start < back.byteLength; start += atOnce) {
					hash.update(new Uint8Array(back.buffer, start, Math.min(atOnce, back.byteLength - start)));
					await breathe();
				}
			}
		}
		return hash.digest('hex');
	});
	const digests = await exchange(group, () => digest);
	const wrong = digests.findIndex((each) => each !== digests[0]);
	if (wrong < 0) return;
	throw together(new AlexNetError('ALEXNET_MPI', `Rank ${wrong} does not hold the weights that rank 0 has sent it.`));
}
