import {checked, filePath, number, option, options, type Checked} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {permit, requirePermit, type Permit} from '../base/permit.ts';
import type {ClassPictures} from './class-folders.ts';
import {Dataset, strict, type DatasetOptions} from './dataset.ts';
import {divide} from './division.ts';
import {listParts, picturesOf} from './parts.ts';
import {decodePacked, PackedPictures} from './packed/packed-pictures.ts';
import {divided} from './packed/divided.ts';
import type {Picture} from './picture-reader.ts';
import {imageSize} from './views.ts';
import {seed} from '../base/random.ts';

/** What `ImageFolder.open` takes besides the folder. */
export interface ImageFolderOptions extends Pick<DatasetOptions, 'strict' | 'imageSize'> {
	/** Share of each class to hold out where no folder is held out. Default 0.1. */
	validationFraction?: number | undefined;
	/** Decides which pictures are held out. Default 0. */
	seed?: number | undefined;
	/** Bytes of memory for decoded pictures, of training and validation together. Default 536870912 (512 MiB); 0 for none. */
	cacheBytes?: number | undefined;
}

export const imageFolderOptions = options<ImageFolderOptions>()({
	validationFraction: option(number(0, 1), 'share of each class to hold out where no folder is held out', 0.1),
	seed: seed('decides which pictures are held out'),
	strict,
	imageSize,
	cacheBytes: option(number(0), 'bytes of memory for decoded pictures', 512 * 2 ** 20),
});

/** Pictures that are on their way from a disk while others are checked: the system reads on more than one thread. */
const packedAtOnce = 16;

/** A folder of pictures, one folder per class, divided into training and validation. */
export class ImageFolder {
	/** Names of the class folders in Unicode's form NFC, sorted by code unit. */
	readonly labels: readonly string[];
	/** The pictures to learn from. */
	readonly train: Dataset;
	/** May have no pictures: with validationFraction 0, or where every class has only one. */
	readonly validation: Dataset;
	/** Files in the class folders that are not read: how many by extension in lower case, '' for none. */
	readonly leftOut: ReadonlyMap<string, number>;
	/** What is left out and what could have been meant otherwise, for people: a sentence or two each. */
	readonly remarks: readonly string[];

	private constructor(
		given: Permit,
		labels: readonly string[],
		parts: {train: Dataset; validation: Dataset},
		notes: {leftOut: ReadonlyMap<string, number>; remarks: readonly string[]},
	) {
		requirePermit(given, 'ImageFolder', 'await ImageFolder.open(…)');
		this.labels = labels;
		this.train = parts.train;
		this.validation = parts.validation;
		this.leftOut = notes.leftOut;
		this.remarks = notes.remarks;
	}

	/**
	 * Lists `dir/<class>/…`, or `dir/train/<class>/…` with or without `dir/val/<class>/…`; no picture is read yet. The
	 * parts may also be called training, valid, validation, dev, eval, evaluation, holdout, heldout, test or testing, in
	 * any case and with or without "set"; test is held out where there is no other. Train alone marks the second layout
	 * only where it has no other folder beside it. Files ending in jpg, jpeg, jpe, jfif, jif, png, webp, gif, tif or tiff
	 * count, folders inside a class are walked, links are followed, and hidden entries and the metadata of systems and
	 * archives skipped.
	 *
	 * A folder that `preparePictures` has made is opened as the one that it was made of, at the side that it was made at.
	 *
	 * Without a held-out folder, `validationFraction` of each class is held out, rounded, at least one picture and never
	 * the last. A picture's lot depends on the seed and its path alone, so adding pictures hardly changes the division.
	 *
	 * @throws ALEXNET_FOLDER where the folder or a class has no pictures, names differ in case or Unicode form alone, or a
	 * link that is no picture's leads nowhere; where prepared pictures are not whole, or of another side than `imageSize`;
	 * ALEXNET_LABEL where val has a class that train has not; ALEXNET_ARGUMENT for an option that cannot be.
	 */
	static async open(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
		checked('dir', filePath, dir);
		const given = checked('ImageFolder.open', imageFolderOptions, options);
		const packed = await PackedPictures.open(dir);
		if (packed) return ImageFolder.#ofPacked(dir, packed, given, options.imageSize);
		const {validationFraction, seed, strict, imageSize, cacheBytes} = given;
		const {labels, parts: listed, leftOut, remarks} = await listParts(dir);
		const [all = [], heldOut] = listed;
		const [train, validation] = heldOut ? [all, heldOut] : await divide(all, validationFraction, seed);
		const cacheBudget = {bytes: cacheBytes};
		const dataset = (classes: readonly ClassPictures[]): Dataset => {
			return new Dataset({labels, pictures: picturesOf(classes, labels), strict, imageSize, cacheBudget});
		};
		const parts = {train: dataset(train), validation: dataset(validation)};
		return new ImageFolder(permit, labels, parts, {leftOut, remarks});
	}

	/** Pixels are read as fast as they are copied: only of JPEGs they are kept. */
	static async #ofPacked(
		dir: string,
		packed: PackedPictures,
		{validationFraction, seed, strict, cacheBytes}: Checked<typeof imageFolderOptions>,
		asked: number | undefined,
	): Promise<ImageFolder> {
		const {labels, imageSize, as, leftOut, remarks} = packed.index.header;
		if (asked !== undefined && asked !== imageSize) throw otherSide(dir, imageSize, asked);
		const [train, validation] = await divided(packed, validationFraction, seed);
		const cacheBudget = {bytes: as === 'raw' ? 0 : cacheBytes};
		const dataset = (pictures: readonly Picture[]): Dataset =>
			new Dataset({labels, pictures, strict, imageSize, cacheBudget, decode: decodePacked, atOnce: packedAtOnce});
		const found = new Map(leftOut.map(({extension, files}) => [extension, files]));
		const parts = {train: dataset(train), validation: dataset(validation)};
		return new ImageFolder(permit, labels, parts, {leftOut: found, remarks});
	}
}

function otherSide(dir: string, imageSize: number, asked: number): AlexNetError {
	return new AlexNetError(
		'ALEXNET_FOLDER',
		`The pictures in '${dir}' were prepared at ${imageSize} x ${imageSize}, and ${asked} x ${asked} is asked for. ` +
			`Prepare them again with imageSize ${asked}, into another folder.`,
	);
}
