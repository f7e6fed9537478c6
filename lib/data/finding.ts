// What can be odd about a folder of pictures.

/** A picture whose shorter side has fewer pixels is tiny. */
export const smallestSide = 64;
/** A picture that is more times as long as wide is of an extreme shape. */
export const greatestRatio = 4;
/** A class with fewer readable pictures to train on is small. */
export const fewestPictures = 10;

/** What can be odd about a folder of pictures. */
export type FindingKind =
	/** A class folder without pictures, for which training stops. */
	| 'emptyClass'
	/** A held-out class that is not trained on, for which training stops. */
	| 'unknownClass'
	/** A picture that cannot be read, and is left out of training. */
	| 'unreadable'
	/** The same bytes are trained on and held out, so that accuracy looks better than it is. */
	| 'heldOutDuplicate'
	/** The same bytes are in several classes. */
	| 'classDuplicate'
	/** A picture that is damaged and may show something else, but is used. */
	| 'suspect'
	/** The same bytes are there more than once, in one class and part. */
	| 'duplicate'
	/** A class with fewer than ten readable pictures to train on, or without one in the held-out folder. */
	| 'smallClass'
	/** Names that differ in case, Unicode form, spaces or look-alike letters alone. */
	| 'similarNames'
	/** A picture whose shorter side has fewer than 64 pixels. */
	| 'tiny'
	/** A picture more than four times as long as wide. */
	| 'extremeShape'
	/** Files that are not read. */
	| 'leftOut';

/** The worst first. */
export const findingKinds = Object.keys({
	...{emptyClass: true, unknownClass: true, unreadable: true, heldOutDuplicate: true, classDuplicate: true},
	...{suspect: true, duplicate: true, smallClass: true, similarNames: true, tiny: true, extremeShape: true},
	leftOut: true,
} satisfies Record<FindingKind, true>) as readonly FindingKind[];

/** Something odd about a folder of pictures. */
export interface Finding {
	/** What it is. */
	kind: FindingKind;
	/** The files or folders concerned, below the checked folder, with '/'; none of files that are not read. */
	paths: readonly string[];
	/** What is known of it, for people. */
	reason: string;
}

/** What a look at a picture or a folder gives. */
export type Found = readonly [kind: FindingKind, paths: readonly string[], reason: string];
