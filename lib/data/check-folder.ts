// What is odd about a folder of pictures, all of it at once, before a run takes a night to show it.
import {relative, sep} from 'node:path';
import {callback, checked, filePath, instanceOf, options} from '../base/check.ts';
import {Duplicates} from './duplicates.ts';
import {fewestPictures, findingKinds, type Finding, type Found} from './finding.ts';
import {oddClasses, similarNames, surveyFolder, type Survey} from './folder-survey.ts';
import {imageFolderOptions, type ImageFolderOptions} from './image-folder.ts';
import {inspectAll} from './inspect-pictures.ts';
import type {StatisticsOptions} from './picture-source.ts';

/** What `checkFolder` takes besides the folder. */
export interface CheckFolderOptions
	extends Pick<ImageFolderOptions, 'validationFraction' | 'seed'>, StatisticsOptions {}

export const checkFolderOptions = options<CheckFolderOptions>()({
	validationFraction: imageFolderOptions.checks.validationFraction,
	seed: imageFolderOptions.checks.seed,
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
});

/** What `checkFolder` finds. */
export interface FolderReport {
	/** How many classes there are, trained on or held out. */
	classes: number;
	/** How many pictures are trained on, readable or not. */
	train: number;
	/** How many pictures are held out, readable or not. */
	heldOut: number;
	/** The worst kinds first, and in each kind in the order of the pictures. */
	findings: readonly Finding[];
	/** What could have been meant otherwise by the folders' names, for people: a sentence each. */
	remarks: readonly string[];
}

/**
 * Looks for all that is odd about a folder as `ImageFolder.open` takes it, see `FindingKind`. What that refuses of
 * classes is found, too, instead of thrown.
 *
 * Each picture is read once, several at a time and off the main thread; some hundred bytes are kept of each.
 *
 * ```ts
 * const {findings} = await checkFolder('pictures');
 * for (const {kind, paths, reason} of findings) console.log(kind, paths.join(' = '), reason);
 * ```
 *
 * @throws ALEXNET_FOLDER where there is no such folder, none in it for a class, a link that is no picture's leads nowhere,
 * or the storage fails; ALEXNET_ARGUMENT for an option that cannot be; the signal's reason.
 */
export async function checkFolder(dir: string, options: CheckFolderOptions = {}): Promise<FolderReport> {
	checked('dir', filePath, dir);
	const {validationFraction, seed, signal, onProgress} = checked('checkFolder', checkFolderOptions, options);
	const survey = await surveyFolder(dir, validationFraction, seed);
	const {labels, pictures, train, remarks} = survey;
	const found: Found[] = [...oddClasses(survey), ...(await similarNames(survey))];
	for (const reason of survey.leftOut) found.push(['leftOut', [], reason]);
	const duplicates = new Duplicates();
	const readable = labels.map(() => ({train: 0, heldOut: 0}));
	let done = 0;
	for await (const {place, isReadable, odd} of inspectAll(pictures, duplicates, signal)) {
		const own = readable[pictures[place]?.label ?? -1];
		if (own && isReadable) ++own[place < train ? 'train' : 'heldOut'];
		found.push(...odd);
		onProgress?.(++done, pictures.length);
	}
	for (const group of duplicates.groups()) found.push(...duplicated(group, survey, seed));
	found.push(...smallClasses(survey, readable));
	const below = (path: string): string => relative(dir, path).replaceAll(sep, '/');
	const findings = findingKinds.flatMap((kind) =>
		found
			.filter(([each]) => each === kind)
			.map(([, paths, reason]): Finding => ({kind, paths: paths.map(below), reason})),
	);
	return {classes: labels.length, train, heldOut: pictures.length - train, findings, remarks};
}

/** @param places of the same bytes */
function duplicated(places: readonly number[], {pictures, train, hasHeldOut}: Survey, seed: number): Found[] {
	const paths = places.map((place) => pictures[place]?.path ?? '');
	const classes = new Set(places.map((place) => pictures[place]?.label)).size;
	const isHeldOut = places.some((place) => place < train) && places.some((place) => place >= train);
	const drawn = hasHeldOut ? '' : `, as seed ${seed} draws them`;
	const same = 'their bytes are the same';
	const found: Found[] = [
		...(isHeldOut ? [['heldOutDuplicate', paths, `${same}, and only some are held out${drawn}`] as const] : []),
		...(classes > 1 ? [['classDuplicate', paths, `${same}, and they are of ${classes} classes`] as const] : []),
	];
	return found.length > 0 ? found : [['duplicate', paths, same]];
}

/** A class without files, and one that is only held out, have been found as such. */
function smallClasses(
	{labels, hasHeldOut, listings: [trained]}: Survey,
	readable: readonly {readonly train: number; readonly heldOut: number}[],
): Found[] {
	return (trained?.classes ?? []).flatMap(({label, folder, paths}): Found[] => {
		const {train = 0, heldOut = 0} = readable[labels.indexOf(label)] ?? {};
		if (paths.length === 0) return [];
		if (train < fewestPictures) return [['smallClass', [folder], `readable pictures to train on: ${train}`]];
		return hasHeldOut && heldOut === 0 ? [['smallClass', [folder], 'no readable picture held out']] : [];
	});
}
