import {createHash} from 'node:crypto';
import {basename, join} from 'node:path';
import {checked, filePath, flag, integer, number, options} from '../check.ts';
import {AlexNetError} from '../errors.ts';
import {Dataset, type Picture} from './dataset.ts';
import {describeFiles, listFolder, listTree, pictureKinds} from './listing.ts';

export interface ImageFolderOptions {
	/** Share of each class that is held out where the folder has no val; 0.1 by default. */
	validationFraction?: number | undefined;
	/** Chooses which pictures are held out; 0 by default. */
	seed?: number | undefined;
	/** Makes an unreadable picture an error instead of leaving it out. */
	strict?: boolean | undefined;
	/** Side S of the decoded pictures; 256 by default, as in the paper. */
	imageSize?: number | undefined;
	/** Memory for decoded pictures, for training and validation together; 512 MiB by default, 0 for none. */
	cacheBytes?: number | undefined;
}

export const imageFolderOptions = options<ImageFolderOptions>({
	validationFraction: number(0, 1),
	seed: integer(0),
	strict: flag,
	imageSize: integer(1),
	cacheBytes: number(0),
});

/** Pictures of one class, as paths relative to `folder`. */
interface ClassPictures {
	readonly label: number;
	readonly folder: string;
	readonly paths: readonly string[];
}

/** A folder of pictures, one folder per class, divided into training and validation. */
export class ImageFolder {
	/** Names of the class folders, sorted by code unit. */
	readonly labels: readonly string[];
	readonly train: Dataset;
	/** May have no pictures: with validationFraction 0, or where every class has only one. */
	readonly validation: Dataset;

	private constructor(labels: readonly string[], train: Dataset, validation: Dataset) {
		this.labels = labels;
		this.train = train;
		this.validation = validation;
	}

	/**
	 * Lists `dir/<class>/…` or `dir/train/<class>/…` with or without `dir/val/<class>/…`; no picture is read yet. Files
	 * ending in jpg, jpeg, png, webp, gif, tif or tiff count, folders inside a class are walked, links are followed and
	 * hidden entries skipped. `train` alone marks the second layout only where it has no other folder beside it.
	 *
	 * Without a val folder, `validationFraction` of each class is held out, rounded, at least one picture and never the
	 * last. A picture's lot depends on the seed and its path alone, so adding pictures hardly changes the division.
	 *
	 * @throws ALEXNET_FOLDER where the folder or a class has no pictures; ALEXNET_LABEL where val has a class that train
	 * has not; ALEXNET_ARGUMENT for an option that cannot be.
	 */
	static async open(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
		checked('dir', filePath, dir);
		const given = checked('ImageFolder.open', imageFolderOptions, options);
		const {validationFraction = 0.1, seed = 0, strict, imageSize, cacheBytes = 512 * 2 ** 20} = given;
		const {trainFolder, validationFolder} = await findLayout(dir);
		const labels = await classFolders(trainFolder);
		const all = await listClasses(trainFolder, labels, labels);
		const [train, validation] = validationFolder
			? [all, await listClasses(validationFolder, await knownClasses(validationFolder, labels), labels)]
			: divide(all, validationFraction, seed);
		const cacheBudget = {bytes: cacheBytes};
		const dataset = (classes: readonly ClassPictures[]): Dataset =>
			new Dataset({labels, pictures: classes.flatMap(picturesOf), strict, imageSize, cacheBudget});
		return new ImageFolder(labels, dataset(train), dataset(validation));
	}
}

function expectedIn(dir: string): string {
	return `a folder of pictures with one folder per class, ${join(dir, '<class>', '*.jpg')}, or ${join(dir, '{train,val}', '<class>', '*.jpg')}`;
}

async function findLayout(dir: string): Promise<{trainFolder: string; validationFolder?: string}> {
	const {folders} = await listFolder(dir, expectedIn(dir));
	const trainFolder = join(dir, 'train');
	if (!folders.includes('train')) return {trainFolder: dir};
	if (folders.includes('val')) return {trainFolder, validationFolder: join(dir, 'val')};
	const otherName = folders.find((name) => ['valid', 'validation'].includes(name));
	if (otherName) {
		throw new AlexNetError(
			'ALEXNET_FOLDER',
			`'${dir}' has folders train and ${otherName}; rename '${otherName}' to 'val'.`,
		);
	}
	return {trainFolder: folders.length === 1 ? trainFolder : dir};
}

/** The names of a folder's class folders. */
async function classFolders(folder: string): Promise<readonly string[]> {
	const {folders, pictures, others} = await listFolder(folder, expectedIn(folder));
	if (folders.length > 0) return folders;
	const found =
		pictures.length > 0
			? `${pictures.length} pictures but no class folders. Move each picture into a folder named after its class`
			: `no class folders (${describeFiles(others)})`;
	throw new AlexNetError('ALEXNET_FOLDER', `'${folder}' holds ${found}. Expected ${expectedIn(folder)}.`);
}

async function knownClasses(folder: string, labels: readonly string[]): Promise<readonly string[]> {
	const names = await classFolders(folder);
	const unknown = names.filter((name) => !labels.includes(name));
	if (unknown.length === 0) return names;
	throw new AlexNetError(
		'ALEXNET_LABEL',
		`'${folder}' has ${unknown.length === 1 ? 'a class' : 'classes'} that train does not have: ${unknown.slice(0, 5).join(', ')}. ` +
			`Expected only classes of train. Rename or remove ${unknown.length === 1 ? 'it' : 'them'}, or add training pictures.`,
	);
}

async function listClasses(
	folder: string,
	names: readonly string[],
	labels: readonly string[],
): Promise<readonly ClassPictures[]> {
	const classes: ClassPictures[] = [];
	for (const name of names) {
		const classFolder = join(folder, name);
		const {pictures, others} = await listTree(classFolder, expectedIn(folder));
		if (pictures.length === 0) {
			throw new AlexNetError(
				'ALEXNET_FOLDER',
				`Class folder '${classFolder}' holds no pictures (${describeFiles(others)}). Expected ${pictureKinds} files. ` +
					(others.size > 0
						? 'Convert the files to JPEG or PNG, or remove the folder.'
						: 'Add pictures or remove the folder.'),
			);
		}
		classes.push({label: labels.indexOf(name), folder: classFolder, paths: pictures});
	}
	return classes;
}

/** Draws the held-out pictures of each class: those whose hash of seed and path is smallest. */
function divide(
	classes: readonly ClassPictures[],
	fraction: number,
	seed: number,
): readonly [ClassPictures[], ClassPictures[]] {
	const train: ClassPictures[] = [];
	const validation: ClassPictures[] = [];
	for (const pictures of classes) {
		const {folder, paths} = pictures;
		const wanted = fraction > 0 ? Math.max(1, Math.round(paths.length * fraction)) : 0;
		const lot = (path: string): string =>
			createHash('sha256')
				.update(`${seed}/${basename(folder)}/${path}`)
				.digest('hex');
		const drawn = paths
			.map((path) => ({path, lot: lot(path)}))
			.sort((first, second) => (first.lot < second.lot ? -1 : 1))
			.slice(0, Math.min(wanted, paths.length - 1));
		const heldOut = new Set(drawn.map(({path}) => path));
		train.push({...pictures, paths: paths.filter((path) => !heldOut.has(path))});
		validation.push({...pictures, paths: paths.filter((path) => heldOut.has(path))});
	}
	return [train, validation];
}

function picturesOf({label, folder, paths}: ClassPictures): Picture[] {
	return paths.map((path) => ({path: join(folder, path), label}));
}
