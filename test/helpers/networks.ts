// A net of AlexNet's kinds of layers that takes milliseconds, and pictures it can learn.
import type {Architecture, LayerSpec} from '../../lib/architecture.ts';
import {evaluate} from '../../lib/evaluate.ts';
import {Model} from '../../lib/model.ts';
import type {ModelOptions} from '../../lib/options.ts';
import type {Batch, BatchOptions, PictureSource} from '../../lib/picture-source.ts';
import {train} from '../../lib/trainer.ts';
import type {Statistics} from '../../lib/views.ts';
import {Random} from './random.ts';

export const tinyLabels = ['red', 'green', 'blue'];

/** Two columns, every kind of layer, 32 x 32 pictures of which it sees 27 x 27. */
export function tinyNet(classes = tinyLabels.length): Architecture {
	const conv = {type: 'conv2d', stride: 1, activation: 'relu', initial: {deviation: 0.05, bias: 0.1}} as const;
	const linear = {type: 'linear', initial: {deviation: 0.05, bias: 0.1}} as const;
	return {
		imageSize: 32,
		crop: 27,
		columns: 2,
		layers: [
			{
				...conv,
				name: 'conv1',
				kernels: 16,
				size: 7,
				stride: 2,
				pads: [0, 0, 1, 1],
				reads: 'both',
				initial: {deviation: 0.003, bias: 0},
			},
			{type: 'lrn', name: 'lrn1', size: 5, alpha: 1e-4, beta: 0.75, k: 2},
			{type: 'maxPool', name: 'pool1', size: 3, stride: 2},
			{...conv, name: 'conv2', kernels: 16, size: 3, pads: [1, 1, 1, 1], reads: 'own'},
			{...linear, name: 'fc6', outputs: 32, activation: 'relu'},
			{type: 'dropout', name: 'dropout6', rate: 0.25},
			{...linear, name: 'fc8', outputs: classes, activation: 'none'},
		],
	};
}

/** The same with all that AlexNet has where columns meet: a convolution and several linear layers that read both. */
export function meetingNet(): Architecture {
	const net = tinyNet();
	const at = net.layers.findIndex(({name}) => name === 'fc6');
	const [conv2, fc6] = [net.layers[at - 1]!, net.layers[at]!];
	const between = [
		{...conv2, name: 'conv3', kernels: 24, reads: 'both'},
		{type: 'maxPool', name: 'pool3', size: 3, stride: 2},
		{...fc6, name: 'fc5', outputs: 48},
	] as LayerSpec[];
	return {...net, layers: [...net.layers.slice(0, at), ...between, ...net.layers.slice(at)]};
}

/** As if taken from such pictures. */
export const tinyStatistics: Statistics = {
	mean: new Float32Array(32 * 32 * 3).fill(120),
	pca: {values: Float32Array.of(900, 400, 100), vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)},
};

export async function tinyModel(options: Partial<ModelOptions> = {}): Promise<Model> {
	const model = new Model({
		architecture: tinyNet(),
		labels: tinyLabels,
		batchSize: 16,
		learningRate: 0.003,
		seed: 7,
		...options,
	});
	await model.initialize();
	model.statistics = tinyStatistics;
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
			for (let start = 0; start < count; start += batchSize) {
				const places = Array.from(
					{length: Math.min(batchSize, count - start)},
					(_, row) => order?.[start + row] ?? start + row,
				);
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
