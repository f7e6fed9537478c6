// Which pictures of a folder a net was trained on, by the digests that its checkpoint keeps.
import {AlexNetError} from '../lib/base/errors.ts';
import {namesOf} from '../lib/data/contents.ts';
import {fractionOf} from '../lib/data/division.ts';
import {imageFolderOptions, type ImageFolderOptions} from '../lib/data/image-folder.ts';
import {ImageFolder, type AlexNet, type Dataset, type PictureContents, type Progress} from '../lib/index.ts';

/** How a folder is divided where no folder of its own is held out; what is not given is found or the default. */
export type Division = Pick<ImageFolderOptions, 'validationFraction' | 'seed'>;

/** What a checkpoint says of the pictures that it was trained on. */
export interface TrainedModel extends Pick<AlexNet, 'labels' | 'seed'> {
	readonly progress: {readonly pictures: Progress['pictures']} | undefined;
}

export interface RunPictures {
	data: ImageFolder;
	/** How many are the run's, trained on or held out; all of them are where `isOfRun`. */
	known: number;
	isOfRun: boolean;
	/** How many of a part's pictures were trained on. */
	trainedOn: {train: number; validation: number};
}

/**
 * Opens a folder divided as in the run where it is the run's folder, or a part of it; where some of it has changed, so
 * that most pictures are known.
 *
 * @throws ALEXNET_ARGUMENT where the given division contradicts the run's; what {@link ImageFolder.open} throws.
 */
export async function openAsTrained(
	folder: string,
	model: TrainedModel,
	given: Division,
	pictures: Pick<ImageFolderOptions, 'strict' | 'imageSize'> = {},
): Promise<RunPictures> {
	const open = async (division: Division): Promise<RunPictures> => {
		const options = {seed: model.seed, ...division, ...pictures, cacheBytes: 0};
		return compare(model, await ImageFolder.open(folder, options));
	};
	const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
	const divisions = divisionsOf(model);
	let best = await open(chosen);
	for (const division of divisions) {
		if (best.isOfRun) return best;
		const found = await open({...division, ...chosen});
		if (found.known > best.known) best = found;
	}
	if (best.isOfRun || Object.keys(chosen).length === 0) return best;
	for (const division of divisions) {
		const {isOfRun, data} = await open(division);
		if (isOfRun) throw contradiction(folder, data);
	}
	return best;
}

/** Those that the run may have been made with, and none: the folder may be one of its parts. */
function divisionsOf({progress, seed}: TrainedModel): Required<Division>[] {
	if (!progress) return [];
	const {train, validation} = progress.pictures;
	const counts = train.map(({pictures}, label) => ({trained: pictures, heldOut: validation[label]?.pictures ?? 0}));
	const validationFraction = fractionOf(counts);
	const divided =
		validationFraction === undefined
			? []
			: [seed, imageFolderOptions.checks.seed.default].map((each) => ({validationFraction, seed: each}));
	return [...divided, {validationFraction: 0, seed}];
}

async function compare(model: TrainedModel, data: ImageFolder): Promise<RunPictures> {
	const {train = [], validation = []} = model.progress?.pictures ?? {};
	const places = data.labels.map((label) => model.labels.findIndex((known) => known.normalize('NFC') === label));
	/** How many pictures of a part are, class by class, those of the run's part. */
	const shared = async (part: Dataset, run: PictureContents): Promise<number> =>
		(await namesOf(part.labels, part.pictures)).reduce((sum, {pictures, digest}, label) => {
			return run[places[label] ?? -1]?.digest === digest ? sum + pictures : sum;
		}, 0);
	const trainedOn = {train: await shared(data.train, train), validation: await shared(data.validation, train)};
	const heldOut = (await shared(data.train, validation)) + (await shared(data.validation, validation));
	const known = trainedOn.train + trainedOn.validation + heldOut;
	return {data, known, isOfRun: known === data.train.size + data.validation.size, trainedOn};
}

function contradiction(folder: string, {train, validation}: ImageFolder): AlexNetError {
	return new AlexNetError(
		'ALEXNET_ARGUMENT',
		`--validation-fraction or --seed contradicts the run, which trained on ${train.size} pictures of '${folder}' and ` +
			`held out ${validation.size} others. Leave both out: the checkpoint knows.`,
	);
}
