// A folder of pictures as it is, with what is wrong with its classes and names: nothing is refused, no picture read.
import {basename, join} from 'node:path';
import {breather} from '../base/breather.ts';
import {expectedIn, surveyClasses, type ClassListing, type SurveyedClass} from './class-folders.ts';
import {divide} from './division.ts';
import type {Found} from './finding.ts';
import {leftOutOf, picturesOf} from './parts.ts';
import {layoutOf} from './layout.ts';
import {describeFiles, listFolder} from './listing.ts';
import type {Picture} from './picture-reader.ts';
import {differenceOf, similar} from './similar-names.ts';

/** What {@link surveyFolder} finds. */
export interface Survey {
	/** Of trained and held-out classes together. */
	readonly labels: readonly string[];
	/** Those that are trained on, then those held out. */
	readonly pictures: readonly Picture[];
	/** How many of them are trained on. */
	readonly train: number;
	/** Whether a folder says what is held out; lots are drawn otherwise. */
	readonly hasHeldOut: boolean;
	/** What could have been meant otherwise. */
	readonly remarks: readonly string[];
	/** What is left out, a sentence each. */
	readonly leftOut: readonly string[];
	/** The trained part, and the held-out one where it has a folder of its own. */
	readonly listings: readonly ClassListing<SurveyedClass>[];
}

/** @throws ALEXNET_FOLDER where there are no classes, or which part is which cannot be told. */
export async function surveyFolder(dir: string, validationFraction: number, seed: number): Promise<Survey> {
	const {train: trainFolder, heldOut, remarks} = layoutOf(dir, (await listFolder(dir, expectedIn(dir))).folders);
	const all = await surveyClasses(trainFolder);
	const apart = heldOut === undefined ? undefined : await surveyClasses(heldOut);
	const listings = apart ? [all, apart] : [all];
	const labels = [...new Set(listings.flatMap(({classes}) => classes.map(({label}) => label)))];
	const filled = all.classes.filter(({paths}) => paths.length > 0);
	const parts = apart ? [filled, apart.classes] : await divide(filled, validationFraction, seed);
	const [train = [], others = []] = parts.map((classes) => picturesOf(classes, labels));
	return {
		...{labels, pictures: [...train, ...others], train: train.length, hasHeldOut: apart !== undefined, remarks},
		...{leftOut: leftOutOf(listings).remarks, listings},
	};
}

/** Classes for which training stops before it begins. */
export function oddClasses({listings}: Survey): Found[] {
	const [train, heldOut] = listings;
	const empty = listings
		.flatMap(({classes}) => classes)
		.filter(({paths}) => paths.length === 0)
		.map(({folder, others}): Found => ['emptyClass', [folder], `it holds ${describeFiles(others)}`]);
	const known = new Set(train?.classes.map(({label}) => label));
	const unknown = (heldOut?.classes ?? [])
		.filter(({label}) => !known.has(label))
		.map(({folder}): Found => ['unknownClass', [folder], 'there is no such class to train on']);
	return [...empty, ...unknown];
}

/**
 * Of class folders, those of both parts together, and of the pictures of a class. A class that both parts have is one.
 */
export async function similarNames({listings}: Survey): Promise<Found[]> {
	const breathe = breather();
	const folders = listings.flatMap(({classes}, part) => classes.map(({label, folder}) => ({part, label, folder})));
	const found: Found[] = [];
	for (const group of await similar(folders, ({folder}) => basename(folder), breathe)) {
		const distinct = (of: (folder: (typeof group)[number]) => string | number): number => new Set(group.map(of)).size;
		const isOneClass = distinct(({label}) => label) === 1 && distinct(({part}) => part) === group.length;
		if (isOneClass) continue;
		const stops = distinct(({part, label}) => `${part} ${label.toLowerCase()}`) < group.length;
		const difference = `they ${differenceOf(group.map(({folder}) => basename(folder)))}`;
		const reason = stops ? `${difference}, for which training stops` : difference;
		found.push(['similarNames', group.map(({folder}) => folder), reason]);
	}
	for (const {folder, paths} of listings.flatMap(({classes}) => classes)) {
		for (const group of await similar(paths, (path) => path, breathe)) {
			const files = group.map((path) => join(folder, path));
			found.push(['similarNames', files, `they ${differenceOf(group)}`]);
		}
	}
	return found;
}
