// A folder with one folder per class.
import {basename, join} from 'node:path';
import {AlexNetError} from '../base/errors.ts';
import {describeFiles, listFolder, listTree, pictureKinds} from './listing.ts';

/** A class and its folder. */
interface ClassFolder {
	/** The folder's name in Unicode's form NFC: a copy of the folder on another system may spell it in NFD. */
	readonly label: string;
	readonly folder: string;
}

/** Pictures of one class, as paths relative to its folder. */
export interface ClassPictures extends ClassFolder {
	readonly paths: readonly string[];
}

/** What {@link listClasses} finds. */
export interface ClassListing<Class extends ClassPictures = ClassPictures> {
	readonly classes: readonly Class[];
	/** Files in the class folders that are not read: how many by extension. */
	readonly others: ReadonlyMap<string, number>;
	/** Pictures beside the class folders. */
	readonly strays: number;
}

export function expectedIn(dir: string): string {
	return `a folder of pictures with one folder per class, ${join(dir, '<class>', '*.jpg')}, or ${join(dir, '{train,val}', '<class>', '*.jpg')}`;
}

/**
 * The classes of a folder, sorted by the code units of their labels.
 *
 * @param known the labels that there may be; any by default
 * @throws ALEXNET_FOLDER where the folder or a class has no pictures, or classes differ in case or Unicode form alone;
 * ALEXNET_LABEL where there are others than the known ones.
 */
export async function listClasses(folder: string, known?: readonly string[]): Promise<ClassListing> {
	const listing = await surveyClasses(folder, (found) => {
		requireDistinct(
			folder,
			found.map((entry) => basename(entry.folder)),
		);
		if (known) requireKnown(folder, found, known);
	});
	const empty = listing.classes.find(({paths}) => paths.length === 0);
	if (empty) throw noPictures(empty.folder, empty.others);
	return listing;
}

/** A class as it is, which may have no pictures. */
export interface SurveyedClass extends ClassPictures {
	/** Files in its folder that are not read: how many by extension. */
	readonly others: ReadonlyMap<string, number>;
}

/**
 * As {@link listClasses}, but whatever is wrong with the classes.
 *
 * @param look at the folders, before any of them is listed
 * @throws ALEXNET_FOLDER where there are none.
 */
export async function surveyClasses(
	folder: string,
	look: (found: readonly ClassFolder[]) => void = () => undefined,
): Promise<ClassListing<SurveyedClass>> {
	const {folders, pictures, others: besides} = await listFolder(folder, expectedIn(folder));
	if (folders.length === 0) throw noClasses(folder, pictures.length, besides);
	const found = folders.map((name) => ({label: name.normalize('NFC'), folder: join(folder, name)}));
	look(found);
	const classes: SurveyedClass[] = [];
	const others = new Map<string, number>();
	for (const entry of found) {
		const tree = await listTree(entry.folder, expectedIn(folder));
		for (const [kind, count] of tree.others) others.set(kind, (others.get(kind) ?? 0) + count);
		classes.push({...entry, paths: tree.pictures, others: tree.others});
	}
	return {classes, others, strays: pictures.length};
}

function noClasses(folder: string, pictures: number, others: ReadonlyMap<string, number>): AlexNetError {
	const found =
		pictures > 0
			? `${pictures} pictures but no class folders. Move each picture into a folder named after its class`
			: `no class folders (${describeFiles(others)})`;
	return new AlexNetError('ALEXNET_FOLDER', `'${folder}' holds ${found}. Expected ${expectedIn(folder)}.`);
}

function noPictures(folder: string, others: ReadonlyMap<string, number>): AlexNetError {
	const advice =
		others.size > 0 ? 'Convert the files to JPEG or PNG, or remove the folder.' : 'Add pictures or remove the folder.';
	return new AlexNetError(
		'ALEXNET_FOLDER',
		`Class folder '${folder}' holds no pictures (${describeFiles(others)}). Expected ${pictureKinds} files. ${advice}`,
	);
}

/** Other systems take such names for one: a copy of the folder there would have other classes. */
function requireDistinct(folder: string, names: readonly string[]): void {
	const first = new Map<string, string>();
	for (const name of names) {
		const key = name.normalize('NFC').toLowerCase();
		const twin = first.get(key);
		first.set(key, name);
		if (twin === undefined) continue;
		const difference = twin.normalize('NFC') === name.normalize('NFC') ? 'Unicode form (composed or not)' : 'case';
		throw new AlexNetError(
			'ALEXNET_FOLDER',
			`'${folder}' has folders '${twin}' and '${name}', which differ in ${difference} alone. Rename one of them, or ` +
				'put their pictures together.',
		);
	}
}

function requireKnown(folder: string, found: readonly ClassFolder[], known: readonly string[]): void {
	const unknown = found.map(({label}) => label).filter((label) => !known.includes(label));
	if (unknown.length === 0) return;
	const one = unknown.length === 1;
	throw new AlexNetError(
		'ALEXNET_LABEL',
		`'${folder}' has ${one ? 'a class' : 'classes'} that train does not have: ${unknown.slice(0, 5).join(', ')}. ` +
			`Expected only classes of train. Rename or remove ${one ? 'it' : 'them'}, or add training pictures.`,
	);
}
