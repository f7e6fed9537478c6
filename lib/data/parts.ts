// The classes and pictures of a folder, in the parts that it has.
import {join} from 'node:path';
import {expectedIn, listClasses, type ClassListing, type ClassPictures} from './class-folders.ts';
import {layoutOf} from './layout.ts';
import {describeKinds, listFolder, pictureKinds} from './listing.ts';
import type {Picture} from './picture-reader.ts';

export interface ListedParts {
	/** In Unicode's form NFC, sorted by code unit. */
	readonly labels: readonly string[];
	/** All pictures, or those to train on and those held out. */
	readonly parts: readonly (readonly ClassPictures[])[];
	/** Files in the class folders that are not read: how many by extension in lower case, '' for none. */
	readonly leftOut: ReadonlyMap<string, number>;
	/** What is left out and what could have been meant otherwise, for people: a sentence or two each. */
	readonly remarks: readonly string[];
}

/** @throws as `ImageFolder.open` does. */
export async function listParts(dir: string): Promise<ListedParts> {
	const layout = layoutOf(dir, (await listFolder(dir, expectedIn(dir))).folders);
	const all = await listClasses(layout.train);
	const labels = all.classes.map(({label}) => label);
	const listings = layout.heldOut === undefined ? [all] : [all, await listClasses(layout.heldOut, labels)];
	const {leftOut, remarks} = leftOutOf(listings);
	return {labels, parts: listings.map(({classes}) => classes), leftOut, remarks: [...layout.remarks, ...remarks]};
}

/** Those of classes, whose names are among the labels. */
export function picturesOf(classes: readonly ClassPictures[], labels: readonly string[]): Picture[] {
	return classes.flatMap(({label: name, folder, paths}) => {
		const label = labels.indexOf(name);
		return paths.map((path) => ({path: join(folder, path), label}));
	});
}

export function leftOutOf(listings: readonly ClassListing[]): Pick<ListedParts, 'leftOut' | 'remarks'> {
	const leftOut = new Map<string, number>();
	let [pictures, strays] = [0, 0];
	for (const listing of listings) {
		for (const [kind, files] of listing.others) leftOut.set(kind, (leftOut.get(kind) ?? 0) + files);
		for (const {paths} of listing.classes) pictures += paths.length;
		strays += listing.strays;
	}
	const files = [...leftOut.values()].reduce((sum, number) => sum + number, 0);
	const warning = files > pictures ? 'warning: ' : '';
	const remarks = [
		...(files > 0
			? [
					`${warning}${files} of ${files + pictures} files are left out: ${describeKinds(leftOut)}. ` +
						`Only ${pictureKinds} files are read: convert the others if they are pictures, to JPEG or PNG.`,
				]
			: []),
		...(strays > 0
			? [
					strays === 1
						? '1 picture is left out: no class folder holds it.'
						: `${strays} pictures are left out: no class folder holds them.`,
				]
			: []),
	];
	return {leftOut, remarks};
}
