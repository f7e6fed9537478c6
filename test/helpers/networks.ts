// Small nets, and pictures they can learn.
import {evaluate} from '../../lib/training/evaluate.ts';
import type {Architecture} from '../../lib/net/architecture.ts';
import {Model} from '../../lib/net/model.ts';
import type {ModelOptions} from '../../lib/net/options.ts';
import type {Batch, BatchOptions, PictureSource} from '../../lib/data/picture-source.ts';
import {train} from '../../lib/training/trainer.ts';
import type {Statistics} from '../../lib/data/views.ts';
import {meetingNet, tinyNet} from '../../lib/selftest/networks.ts';
import {Random} from '../../lib/selftest/random.ts';

export {meetingNet, tinyNet};

/** The tiny net with another activation than ReLU. */
export function smooth(activation: 'tanh' | 'sigmoid'): Architecture {
	const {layers, ...rest} = tinyNet();
	return {
		...rest,
		layers: layers.map((spec) => ('activation' in spec && spec.activation === 'relu' ? {...spec, activation} : spec)),
	};
}

export const tinyLabels = ['red', 'green', 'blue'];

/** As if taken from such pictures. */
export const tinyStatistics: Statistics = {
	mean: new Float32Array(32 * 32 * 3).fill(120),
	pca: {values: Float32Array.of(900, 400, 100), vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)},
};

export async function tinyModel(
	options: Partial<ModelOptions> = {},
	statistics: Statistics = tinyStatistics,
): Promise<Model> {
	const model = new Model({
		architecture: tinyNet(),
		labels: tinyLabels,
		batchSize: 16,
		learningRate: 0.003,
		seed: 7,
		...options,
	});
	await model.initialize();
	model.statistics = statistics;
	return model;
}

/** Noisy pictures [N, 32, 32, 3] in which the label's colour is brighter. */
export function tinyPictures(count: number, seed: string): {images: Uint8Array; labels: Int32Array} {
	const random = new Random(seed);
	const labels = Int32Array.from({length: count}, (_, index) => index % tinyLabels.length);
	const images = new Uint8Array(count * 32 * 32 * 3);
	for (let index = 0; index < images.length; ++index) {
		const label = labels[Math.floor(index / (32 * 32 * 3))];
		images[index] = 40 + random.integer(120) + (index % 3 === label ? 60 : 0);
	}
	return {images, labels};
}

/** The same as a source to train from. */
export function tinySource(count: number, seed: string): PictureSource {
	const {images, labels} = tinyPictures(count, seed);
	const bytes = 32 * 32 * 3;
	return {
		labels: tinyLabels,
		size: count,
		statistics: () => Promise.resolve(tinyStatistics),
		async *batches({batchSize, order, dropLast}: BatchOptions): AsyncGenerator<Batch> {
			const all = Array.from({length: order?.length ?? count}, (_, row) => order?.[row] ?? row);
			for (let start = 0; start < all.length; start += batchSize) {
				const places = all.slice(start, start + batchSize);
				if (dropLast === true && places.length < batchSize) return;
				const batch = new Uint8Array(places.length * bytes);
				places.forEach((place, row) => batch.set(images.subarray(place * bytes, (place + 1) * bytes), row * bytes));
				await Promise.resolve();
				yield {
					images: batch,
					labels: Int32Array.from(places, (place) => labels[place]!),
					indices: Int32Array.from(places),
				};
			}
		},
	};
}

/** Top-1 on pictures it has not seen, of the meeting net after twenty epochs of 96 pictures. */
export async function accuracyOfTraining(devices: readonly string[]): Promise<number> {
	await using model = await tinyModel({architecture: meetingNet(), devices});
	let epochs = 0;
	for await (const report of train(model, tinySource(96, 'learn'), {epochs: 20})) {
		if (report.type === 'epoch') epochs = report.epoch;
	}
	if (epochs !== 20) throw new Error(`Training ended after ${epochs} epochs.`);
	return (await evaluate(model, tinySource(120, 'never seen'))).top1;
}
