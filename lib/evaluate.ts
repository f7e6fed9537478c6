import {callback, checked, instanceOf, options} from './check.ts';
import {AlexNetError} from './errors.ts';
import type {Model} from './model.ts';
import {pictureSource, type PictureSource} from './picture-source.ts';
import {rank} from './ranking.ts';
import {crops} from './views.ts';

export interface EvaluateOptions {
	/** Views of each picture whose probabilities are averaged: the centre, or the paper's ten (4.1). Default 1. */
	crops?: 1 | 10 | undefined;
	/** Rejects with the signal's reason after the current batch. */
	signal?: AbortSignal | undefined;
	/** Called after each batch. */
	onProgress?: ((done: number, total: number) => void) | undefined;
}

export const evaluateOptions = options<EvaluateOptions>({
	crops,
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
});

export interface Evaluation {
	/** Pictures seen; unreadable ones are not among them. */
	pictures: number;
	/** Mean of -ln(probability of the label). */
	loss: number;
	/** Share of pictures whose label was the best, or among the best five. */
	top1: number;
	top5: number;
}

/** Loss and accuracy on pictures with known labels. The last batch may be partial. */
export async function evaluate(
	model: Model,
	source: PictureSource,
	options: EvaluateOptions = {},
): Promise<Evaluation> {
	checked('source', pictureSource, source);
	const {crops = 1, signal, onProgress} = checked('evaluate', evaluateOptions, options);
	requireSameLabels(model, source);
	const sums = {pictures: 0, loss: 0, top1: 0, top5: 0};
	for await (const {images, labels} of source.batches({batchSize: model.batchSize, signal})) {
		const probabilities = await model.predict(images, {crops});
		for (let row = 0; row < labels.length; ++row) {
			const values = probabilities.subarray(row * model.classes, (row + 1) * model.classes);
			const label = labels[row] ?? 0;
			const place = rank(values, label);
			sums.loss -= Math.log(bounded(values[label] ?? NaN));
			sums.top1 += place < 1 ? 1 : 0;
			sums.top5 += place < 5 ? 1 : 0;
		}
		sums.pictures += labels.length;
		onProgress?.(sums.pictures, source.size);
		signal?.throwIfAborted();
	}
	const {pictures} = sums;
	if (pictures === 0) throw new AlexNetError('ALEXNET_ARGUMENT', 'There are no pictures to evaluate.');
	return {pictures, loss: sums.loss / pictures, top1: sums.top1 / pictures, top5: sums.top5 / pictures};
}

/**
 * Below the smallest positive fp32 a probability reads as 0, and the loss stays finite there. A mean of ten may round to
 * a little more than 1, and the loss is not negative there.
 */
function bounded(probability: number): number {
	return Math.min(1, Math.max(probability, 2 ** -149));
}

/** @throws ALEXNET_LABEL where a source's classes are not the model's, in the same order. */
export function requireSameLabels(model: Pick<Model, 'labels'>, source: {readonly labels: readonly string[]}): void {
	if (
		model.labels.length === source.labels.length &&
		model.labels.every((label, index) => label === source.labels[index])
	) {
		return;
	}
	const missing = model.labels.filter((label) => !source.labels.includes(label));
	const added = source.labels.filter((label) => !model.labels.includes(label));
	const differences = [
		...(missing.length > 0 ? [`without pictures: ${shorten(missing)}`] : []),
		...(added.length > 0 ? [`unknown to the model: ${shorten(added)}`] : []),
	];
	throw new AlexNetError(
		'ALEXNET_LABEL',
		`The model's classes are ${shorten(model.labels)}, the pictures' ${shorten(source.labels)}; ` +
			`${differences.join('; ') || 'their order differs'}. They must be the same.`,
	);
}

function shorten(labels: readonly string[]): string {
	const shown = labels.slice(0, 8).join(', ');
	return labels.length > 8 ? `${shown}, … (${labels.length})` : shown;
}
