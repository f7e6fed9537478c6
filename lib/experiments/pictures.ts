// The pictures of an experiment: the same for all of its runs.
import {createHash} from 'node:crypto';
import {AlexNetError} from '../base/errors.ts';
import {Dataset} from '../data/dataset.ts';
import {ImageFolder} from '../data/image-folder.ts';
import type {Experiment, ExperimentSize} from './experiment.ts';

/** Bytes of memory for decoded pictures: those of a quick form are decoded once. */
const cacheBytes = 2 ** 29;

export interface ExperimentPictures {
	readonly train: Dataset;
	readonly validation: Dataset;
	readonly remarks: readonly string[];
	/** Of their names, classes and sizes, in both parts. */
	readonly digest: string;
}

/**
 * The folder of an experiment's example pictures.
 *
 * @throws ALEXNET_ARGUMENT as it takes a command to get them.
 */
export function picturesOf({name, pictures}: Experiment): string {
	throw new AlexNetError(
		'ALEXNET_ARGUMENT',
		`The experiment '${name}' needs a folder of pictures. 'alexnet pictures ${pictures}' gets those that it is meant for; ` +
			'name their folder, or one of your own.',
	);
}

/** @throws ALEXNET_FOLDER for a folder that is none, has one class or holds nothing out; see `ImageFolder.open`. */
export async function openPictures(folder: string, size: ExperimentSize): Promise<ExperimentPictures> {
	const {imageSize, trainingPictures, heldOutPictures} = size;
	const data = await ImageFolder.open(folder, {imageSize, cacheBytes});
	const needs =
		data.labels.length < 2 ? 'two classes' : data.validation.size === 0 ? 'pictures to hold out' : undefined;
	if (needs !== undefined)
		throw new AlexNetError('ALEXNET_FOLDER', `An experiment needs ${needs}; '${folder}' has not.`);
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
