// What a training step is given, checked, as the devices take it.
import {requireLength} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {noSuchClass} from '../data/picture-source.ts';
import {testViews, trainingViews, type PcaScale, type Statistics} from '../data/views.ts';
import type {Architecture} from './architecture.ts';
import type {Group, Slice} from './group.ts';
import type {TrainStepOptions} from './options.ts';
import type {LabelledBatch} from './stepper.ts';

/** What a model says of how it learns. */
interface Learner {
	readonly group: Group | undefined;
	readonly architecture: Architecture;
	readonly classes: number;
	readonly pcaScale: PcaScale;
	readonly seed: number;
}

/**
 * The labels of a batch that fits a net.
 *
 * @throws ALEXNET_SHAPE, ALEXNET_LABEL.
 */
export function labelsOf(
	{architecture, classes}: Learner,
	{images, labels, indices}: Pick<TrainStepOptions, 'images' | 'labels' | 'indices'>,
): Int32Array {
	if (labels.length < 1) throw new AlexNetError('ALEXNET_SHAPE', 'A batch needs at least one picture, got none.');
	for (let row = 0; row < labels.length; ++row) {
		const label = labels[row];
		if (Number.isInteger(label) && Number(label) >= 0 && Number(label) < classes) continue;
		throw noSuchClass(row, label, classes);
	}
	const {imageSize} = architecture;
	requireLength(`images of ${labels.length} labels`, images.length, labels.length * imageSize * imageSize * 3);
	if (indices) requireLength('indices', indices.length, labels.length);
	return Int32Array.from(labels);
}

/** A batch as it is seen in an epoch. */
export function batchOf(
	{architecture, pcaScale, seed, group}: Learner,
	statistics: Statistics,
	epoch: number,
	{
		images,
		labels,
		augment,
		indices,
		slice: given,
	}: Pick<TrainStepOptions, 'images' | 'augment' | 'indices' | 'slice'> & {
		labels: Int32Array;
	},
): LabelledBatch {
	const {imageSize, crop} = architecture;
	const count = labels.length;
	const slice = group && (given ?? evenSlice(group, count));
	if (augment === 'none') {
		const centre = testViews(1, imageSize, crop);
		const views = Float32Array.from({length: count * centre.length}, (_, index) => centre[index % centre.length] ?? 0);
		return {images, labels, views, slice};
	}
	const places = indices ?? Int32Array.from({length: count}, (_, index) => (slice?.start ?? 0) + index);
	const views = trainingViews({imageSize, crop, statistics, pcaScale, seed, epoch, indices: places});
	return {images, labels, views, slice};
}

function evenSlice({rank, size}: Group, count: number): Slice {
	return {start: rank * count, total: size * count};
}
