import {arrayOf, callback, flag, instanceOf, integer, inWords, must, needed, option, options} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import type {Statistics} from './views.ts';

/** A batch of decoded pictures. */
export interface Batch {
	/**
	 * RGB, 0 to 255, [N, imageSize, imageSize, 3]. The source may use the memory again: it is the consumer's until the
	 * next batch but one is asked for.
	 */
	readonly images: Uint8Array;
	/** [N], indices into the source's labels */
	readonly labels: Int32Array;
	/** [N], the pictures' places in the source */
	readonly indices: Int32Array;
}

/** Which batches a source is asked for. */
export interface BatchOptions {
	/** Pictures in a batch; the last one may have fewer. */
	batchSize: number;
	/** Places of the pictures, in the order to deliver. Default: all of them, in their own order. */
	order?: ArrayLike<number> | undefined;
	/** Leaves a last batch out that is not full. Default false. */
	dropLast?: boolean | undefined;
	/** Batches prepared before they are asked for. Default 2. */
	ahead?: number | undefined;
	/** Once it aborts, the next batch that is asked for rejects with its reason. */
	signal?: AbortSignal | undefined;
	/**
	 * Gives memory for a batch's pictures, such as GPUs copy from by themselves: so many bytes, of any contents. It is the
	 * source's until its last batch has been used. Default: ordinary memory.
	 */
	allocate?: ((bytes: number) => Uint8Array) | undefined;
}

export const placesOfPictures = arrayOf<number>('places of pictures');

export const batchOptions = options<BatchOptions>()({
	batchSize: needed(integer(1)),
	order: placesOfPictures,
	dropLast: option(flag, 'leaves a last batch out that is not full', false),
	ahead: option(integer(0), 'batches prepared before they are asked for', 2),
	signal: instanceOf(AbortSignal),
	allocate: callback(),
});

/** Of a pass over all pictures. */
export interface StatisticsOptions {
	/** Rejects with the signal's reason after the pictures in flight. */
	signal?: AbortSignal | undefined;
	/** Called as pictures are done, with how many are, unreadable ones included, and how many there are. */
	onProgress?: ((done: number, total: number) => void) | undefined;
}

export const statisticsOptions = options<StatisticsOptions>()({
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
});

/** The pictures of each class, in the order of the labels. */
export type PictureContents = readonly {
	/** How many the class has, readable or not. */
	readonly pictures: number;
	/** Of their names; empty where they have none. */
	readonly digest: string;
	/**
	 * A digest of their files' sizes, where they are known. It tells of a picture that was replaced under its name, unless
	 * the new file has exactly as many bytes.
	 */
	readonly sizes?: string;
}[];

/** Where training and evaluation take pictures from: a folder's `Dataset`, or anything that does the same. */
export interface PictureSource {
	/** Names of the classes. */
	readonly labels: readonly string[];
	/** Number of pictures. */
	readonly size: number;
	/** Pictures in batches, decoded before they are asked for. */
	batches(options: BatchOptions): AsyncGenerator<Batch>;
	/** Mean image and PCA of the RGB values over all pictures. */
	statistics(options?: StatisticsOptions): Promise<Statistics>;
	/** Where each picture lies, by their places: a report names them by it. Optional, as all that follows. */
	readonly pictures?:
		| readonly {
				/** As errors name the picture. */
				readonly path: string;
		  }[]
		| undefined;
	/** Pictures that could not be read so far, by path, and why. */
	readonly unreadable?: ReadonlyMap<string, string> | undefined;
	/** Their places, ascending. */
	readonly unreadablePlaces?: readonly number[] | undefined;
	/**
	 * Leaves pictures out as the run did that is resumed, although they may be readable now.
	 *
	 * @param reason why, where it is another one
	 */
	leaveOut?(places: readonly number[], reason?: string): void;
	/** Pictures that are used although they are damaged, by path, and what is known of the damage. */
	readonly suspect?: ReadonlyMap<string, string> | undefined;
	/**
	 * Reads all pictures once: fails as `batches` and `checkClasses` would, and finds what is unreadable or suspect.
	 */
	check?(options?: StatisticsOptions): Promise<void>;
	/** Fails where a class has pictures and none of them can be read, and reads no more than that takes. */
	checkClasses?(signal?: AbortSignal): Promise<void>;
	/**
	 * What a resumed run compares with the pictures that it began with.
	 *
	 * @param unread places of pictures that the run does without: their sizes do not count
	 */
	contents?(unread?: ArrayLike<number>): Promise<PictureContents>;
}

export const pictureSource = must<PictureSource>(
	"a source of pictures, such as an ImageFolder's train or validation",
	(value) => {
		const {labels, size, batches, statistics} = (value ?? {}) as Partial<Record<keyof PictureSource, unknown>>;
		const hasCalls = typeof batches === 'function' && typeof statistics === 'function';
		return Array.isArray(labels) && Number.isSafeInteger(size) && hasCalls;
	},
);

/** For a picture whose label is none of its classes. */
export function noSuchClass(picture: number, label: unknown, classes: number): AlexNetError {
	return new AlexNetError(
		'ALEXNET_LABEL',
		`The label of picture ${picture} is ${inWords(label)}; it must be an integer from 0 to ${classes - 1}.`,
	);
}
