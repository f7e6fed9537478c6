// What can be odd about a folder of pictures.

/** A picture whose shorter side has fewer pixels is tiny. */
export const smallestSide = 64;
/** A picture that is more times as long as wide is of an extreme shape. */
export const greatestRatio = 4;
/** A class with fewer readable pictures to train on is small. */
export const fewestPictures = 10;

/** What can be odd, the worst first. */
export const findingKinds = [
	...(['emptyClass', 'unknownClass', 'unreadable', 'heldOutDuplicate', 'classDuplicate', 'suspect'] as const),
	...(['duplicate', 'smallClass', 'similarNames', 'tiny', 'extremeShape', 'leftOut'] as const),
];

/**
 * - `emptyClass`: a class folder without pictures, for which training stops
 * - `unknownClass`: a held-out class that is not trained on, for which training stops
 * - `unreadable`: a picture that cannot be read, and is left out of training
 * - `heldOutDuplicate`: the same bytes are trained on and held out, so that accuracy is too good
 * - `classDuplicate`: the same bytes are in several classes
 * - `suspect`: a picture that is damaged and may show something else, but is used
 * - `duplicate`: the same bytes are there more than once, in one class and part
 * - `smallClass`: a class with fewer than ten readable pictures to train on, or with none that are held out
 * - `similarNames`: names that differ in case, Unicode form, spaces or look-alike letters alone
 * - `tiny`: a picture whose shorter side has fewer than 64 pixels
 * - `extremeShape`: a picture more than four times as long as wide
 * - `leftOut`: files that are not read
 */
export type FindingKind = (typeof findingKinds)[number];

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
