// The pictures of an experiment: the same for all of its runs.
import {createHash} from 'node:crypto';
import {AlexNetError} from '../base/errors.ts';
import {Dataset} from '../data/dataset.ts';
import {examplePictures, type ExamplePicturesOptions} from '../data/examples/index.ts';
import {ImageFolder} from '../data/image-folder.ts';
import type {Experiment, ExperimentForm, ExperimentSize} from './experiment.ts';

/** Bytes of memory for decoded pictures: those of a quick form are decoded once. */
const cacheBytes = 2 ** 29;

export interface ExperimentPictures {
	readonly train: Dataset;
	readonly validation: Dataset;
	readonly remarks: readonly string[];
	/** Of their names, classes and sizes, in both parts. */
	readonly digest: string;
}

/** Of Fashion-MNIST, of which a part may be had: as many as give the held-out pictures of the quick form. */
const fashionMnist: Readonly<Record<ExperimentForm, number>> = {quick: 12_000, full: 60_000};

/**
 * The folder of an experiment's example pictures, which are fetched where they are not there yet.
 *
 * @throws what `examplePictures` throws.
 */
export async function picturesOf(
	{pictures: name}: Experiment,
	form: ExperimentForm,
	watch: Pick<ExamplePicturesOptions, 'signal' | 'onProgress'>,
): Promise<string> {
	const pictures = name === 'fashion-mnist' ? fashionMnist[form] : undefined;
	return (await examplePictures(name, {pictures, ...watch})).folder;
}

/**
 * @throws ALEXNET_FOLDER for a folder that is none, has one class, holds nothing out or less than a batch to train on; see
 * `ImageFolder.open`.
 */
export async function openPictures(folder: string, size: ExperimentSize): Promise<ExperimentPictures> {
	const {imageSize, trainingPictures, heldOutPictures, batchSize} = size;
	const data = await ImageFolder.open(folder, {imageSize, cacheBytes});
	for (const [least, has, of] of [
		[2, data.labels.length, 'classes'],
		[1, data.validation.size, 'pictures to hold out'],
		[batchSize, data.train.size, 'pictures to train on'],
	] as const) {
		if (has >= least) continue;
		throw new AlexNetError('ALEXNET_FOLDER', `An experiment needs at least ${least} ${of}; '${folder}' has ${has}.`);
	}
	const cacheBudget = {bytes: cacheBytes};
	const part = (from: Dataset, most: number | undefined): Dataset => {
		if (most === undefined || from.size <= most) return from;
		const {labels, decode} = from;
		return new Dataset({labels, pictures: someOf(from, most), imageSize, decode, cacheBudget});
	};
	const [train, validation] = [part(data.train, trainingPictures), part(data.validation, heldOutPictures)];
	const contents = [await train.contents(), await validation.contents()];
	const digest = createHash('sha256')
		.update(JSON.stringify([data.labels, contents]))
		.digest('hex');
	return {train, validation, remarks: data.remarks, digest};
}

/** Of each class its share of so many pictures, at least one, evenly over its names. */
export function someOf({labels, pictures}: Pick<Dataset, 'labels' | 'pictures'>, most: number): Dataset['pictures'] {
	return labels.flatMap((_, label) => {
		const all = pictures.filter((picture) => picture.label === label);
		const count = Math.max(1, Math.floor((all.length * most) / pictures.length));
		return Array.from(
			{length: Math.min(count, all.length)},
			(_, index) => all[Math.floor((index * all.length) / count)],
		).flatMap((picture) => picture ?? []);
	});
}
