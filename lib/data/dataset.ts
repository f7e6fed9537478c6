import {
	callback,
	checked,
	distinctNames,
	flag,
	instanceOf,
	integer,
	inWords,
	manyOf,
	needed,
	number,
	option,
	optional,
	options,
} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {batchOptions, placesOfPictures, statisticsOptions} from './picture-source.ts';
import type {Batch, BatchOptions, PictureContents, PictureSource, StatisticsOptions} from './picture-source.ts';
import {imageSize, type Statistics} from './views.ts';
import {ahead} from './ahead.ts';
import {breather} from '../base/breather.ts';
import {contentsOf} from './contents.ts';
import {decoderProcess} from './decoder-process.ts';
import {decodedAtOnce, PictureReader, type CacheBudget, type DecodePicture, type Picture} from './picture-reader.ts';
import {PackedPicture} from './packed/packed-pictures.ts';
import {requireReadableClasses} from './readable-classes.ts';
import {StatisticsSums} from './statistics.ts';

export type {Picture};

/** What a `Dataset` is made of. */
export interface DatasetOptions {
	/** A name for each class, no two alike. */
	labels: readonly string[];
	/** In the order of their places, by which batches and `leaveOut` name them. */
	pictures: readonly Picture[];
	/** Side S of the decoded pictures. Default 256, as in the paper. */
	imageSize?: number | undefined;
	/** Stops at a picture that is unreadable or damaged, instead of leaving it out or using it. Default false. */
	strict?: boolean | undefined;
	/** Memory for decoded pictures; datasets may share it. Default: none. */
	cacheBudget?: CacheBudget | undefined;
	/** Seconds for which a picture is asked for again whose storage fails, as a drive that is away does. Default 30. */
	retrySeconds?: number | undefined;
	/**
	 * How a picture's file becomes pixels, for formats of your own. Default: as `decodePicture` does, at first in a
	 * process of its own.
	 */
	decode?: DecodePicture | undefined;
	/** Pictures that are read and decoded at the same time. Default: two for each core and one. */
	atOnce?: number | undefined;
}

export const strict = option(flag, 'stops at a picture that is unreadable or damaged', false);

/** It may say more. Its label is compared with the labels there are. */
const pictures = manyOf<Picture>('an object with a path and a label', (value) => {
	return value instanceof PackedPicture || typeof (value as Partial<Picture> | null | undefined)?.path === 'string';
});

export const datasetOptions = options<DatasetOptions>()({
	labels: needed(distinctNames(0)),
	pictures: needed(pictures),
	imageSize,
	strict,
	cacheBudget: options<CacheBudget>()({bytes: needed(number(0))}),
	retrySeconds: option(number(0), 'seconds for which a picture is asked for again whose storage fails', 30),
	decode: callback(),
	atOnce: option(integer(1), 'pictures that are read and decoded at the same time'),
});

/** A list of pictures of known classes. */
export class Dataset implements PictureSource {
	readonly labels: readonly string[];
	/** As they were given, in the order of their places. */
	readonly pictures: readonly Picture[];
	/** Side S of the decoded pictures. */
	readonly imageSize: number;
	/** How its pictures are decoded: another dataset of some of them needs the same. */
	readonly decode: DecodePicture;
	readonly #reader: PictureReader;
	#statistics: Statistics | undefined;
	/** Whether each class is known to have a picture that can be read. */
	#hasReadableClasses = false;

	/** @throws ALEXNET_LABEL where a picture's label is not an index into the labels. */
	constructor(options: DatasetOptions) {
		const given = checked('Dataset', datasetOptions, options);
		const {labels, pictures, imageSize, strict, retrySeconds} = given;
		const {cacheBudget = {bytes: 0}, decode = decoderProcess.decode, atOnce = decodedAtOnce} = given;
		for (const picture of pictures) {
			const {label} = picture;
			if (Number.isInteger(label) && label >= 0 && label < labels.length) continue;
			throw new AlexNetError(
				'ALEXNET_LABEL',
				`Picture '${picture.path}' has label ${inWords(label)}; with ${labels.length} classes, labels are 0 to ${labels.length - 1}.`,
			);
		}
		this.labels = labels;
		this.pictures = pictures;
		this.imageSize = imageSize;
		this.decode = decode;
		this.#reader = new PictureReader(pictures, {imageSize, strict, cacheBudget, decode, retrySeconds, atOnce});
	}

	/** Number of pictures, readable or not. */
	get size(): number {
		return this.pictures.length;
	}

	/** Pictures that could not be read so far, by path, and why. They are left out of batches and not tried again. */
	get unreadable(): ReadonlyMap<string, string> {
		return this.#reader.unreadable;
	}

	/** Pictures that are used although the decoder has stepped over damage in them, by path, and what it says. */
	get suspect(): ReadonlyMap<string, string> {
		return this.#reader.suspect;
	}

	/** Places of the unreadable ones in the dataset, ascending. */
	get unreadablePlaces(): readonly number[] {
		if (this.unreadable.size === 0) return [];
		return [...this.pictures.keys()].filter((place) => this.unreadable.has(this.pictures[place]?.path ?? ''));
	}

	/** Leaves pictures out as if they were unreadable; a strict dataset tries them. */
	leaveOut(places: readonly number[], reason = 'it could not be read before the run was resumed'): void {
		this.#reader.leaveOut(this.#checkOrder(places), reason);
	}

	/**
	 * How many pictures each class has, with digests of their names and sizes, wherever the folder lies.
	 *
	 * @param unread places of pictures whose sizes do not count
	 * @throws ALEXNET_FOLDER where the storage fails.
	 */
	async contents(unread: ArrayLike<number> = []): Promise<PictureContents> {
		return contentsOf(this.labels, this.pictures, checked('unread', placesOfPictures, unread));
	}

	/**
	 * Batches in the given order of pictures, prepared ahead of the consumer and off the main thread. Nothing runs
	 * before the first batch is asked for; leaving the loop stops the preparation and waits for the pictures in flight.
	 *
	 * An unreadable picture is left out and the batch filled up with those that follow in the order, so that only the
	 * last batch can be short.
	 *
	 * @throws ALEXNET_ARGUMENT at once for an option that cannot be; while iterating, ALEXNET_PICTURE where no picture of
	 * the order can be read or, in a strict dataset, where one cannot; ALEXNET_FOLDER where the storage fails.
	 */
	batches(options: BatchOptions): AsyncGenerator<Batch, void, void> {
		const {batchSize, dropLast, ahead: count, signal, allocate} = checked('batches', batchOptions, options);
		const order = this.#checkOrder(options.order);
		const spare: Uint8Array[] = [];
		const left = new AbortController(); // Nobody sees its reason: ahead() drops what was asked for.
		const stop = AbortSignal.any([left.signal, ...(signal ? [signal] : [])]);
		const assembled = this.#assemble(order, {batchSize, dropLast, spare, allocate, signal: stop});
		return recycle(
			ahead(assembled, count, () => left.abort()),
			spare,
			stop,
		);
	}

	/**
	 * Mean image and principal components of the colours over the whole set, computed once and then remembered.
	 *
	 * @throws ALEXNET_PICTURE where no picture can be read or, in a strict dataset, where one cannot; ALEXNET_FOLDER where
	 * no picture of a class can, or the storage fails; ALEXNET_ARGUMENT where the dataset has no pictures.
	 */
	async statistics(options: StatisticsOptions = {}): Promise<Statistics> {
		const given = checked('statistics', statisticsOptions, options);
		if (this.#statistics) return this.#statistics;
		if (this.size === 0) throw new AlexNetError('ALEXNET_ARGUMENT', 'A dataset without pictures has no statistics.');
		const sums = new StatisticsSums(this.imageSize);
		await this.#readAll(given, (pixels) => {
			sums.add(pixels);
		});
		this.#requireReadableClasses();
		this.#statistics = sums.result();
		return this.#statistics;
	}

	/**
	 * Reads all pictures once, and keeps what the cache has room for.
	 *
	 * @throws as {@link batches}; ALEXNET_FOLDER where no picture of a class can be read.
	 */
	async check(options: StatisticsOptions = {}): Promise<void> {
		await this.#readAll(checked('check', statisticsOptions, options), () => undefined);
		this.#requireReadableClasses();
	}

	/**
	 * Reads pictures of each class up to the first that can be read; none, where that is known already.
	 *
	 * @throws ALEXNET_FOLDER where no picture of a class can be read, or the storage fails; ALEXNET_PICTURE in a strict
	 * dataset where a picture cannot; the signal's reason.
	 */
	async checkClasses(signal?: AbortSignal): Promise<void> {
		checked('signal', optional(instanceOf(AbortSignal)), signal);
		if (this.#hasReadableClasses) return;
		const places = this.labels.map((): number[] => []);
		for (const [place, {label}] of this.pictures.entries()) places[label]?.push(place);
		const found = new Set<number>();
		// The first picture of each class, then the second of each that has none yet, and so on.
		for (let turn = 0; ; turn++) {
			const order = places.flatMap((own, label) => (found.has(label) ? [] : own.slice(turn, turn + 1)));
			if (order.length === 0) break;
			for await (const {index} of this.#reader.tried(Int32Array.from(order), signal)) {
				found.add(this.pictures[index]?.label ?? -1);
			}
		}
		this.#requireReadableClasses();
	}

	#requireReadableClasses(): void {
		requireReadableClasses(this.labels, this.pictures, this.unreadable);
		this.#hasReadableClasses = true;
	}

	/** Gives every readable picture in its order. */
	async #readAll({signal, onProgress}: StatisticsOptions, use: (pixels: Uint8Array) => void): Promise<void> {
		const breathe = breather();
		let done = 0;
		for await (const {position, pixels} of this.#reader.read(this.#checkOrder(), signal)) {
			use(pixels);
			done = position + 1;
			onProgress?.(done, this.size);
			await breathe();
		}
		if (done < this.size) onProgress?.(this.size, this.size); // The last pictures were unreadable.
	}

	/** Fills batches picture by picture, into spare memory where there is some. */
	async *#assemble(
		order: Int32Array,
		options: Pick<BatchOptions, 'allocate'> & {
			batchSize: number;
			dropLast: boolean;
			spare: Uint8Array[];
			signal: AbortSignal;
		},
	): AsyncGenerator<Batch, void, void> {
		const {batchSize, dropLast, spare, signal, allocate = (bytes: number) => new Uint8Array(bytes)} = options;
		const pictureBytes = this.imageSize * this.imageSize * 3;
		const breathe = breather();
		const size = Math.min(batchSize, order.length) * pictureBytes;
		const rows = new Rows(batchSize, pictureBytes, () => spare.pop() ?? allocate(size));
		let indices: number[] = [];
		const batch = (): Batch => ({
			images: rows.take().subarray(0, indices.length * pictureBytes),
			// -1 is no class and would be refused; the order that indices come from has been checked.
			labels: Int32Array.from(indices, (index) => this.pictures[index]?.label ?? -1),
			indices: Int32Array.from(indices),
		});
		for await (const {index, pixels} of this.#reader.read(order, signal, (row) => rows.at(row))) {
			rows.fill(indices.length, pixels);
			indices.push(index);
			await breathe();
			if (indices.length < batchSize) continue;
			yield batch();
			indices = [];
		}
		if (indices.length > 0 && !dropLast) yield batch();
	}

	#checkOrder(order?: ArrayLike<number>): Int32Array {
		if (!order) return Int32Array.from(this.pictures.keys());
		for (let i = 0; i < order.length; i++) {
			const index = order[i];
			if (Number.isInteger(index) && Number(index) in this.pictures) continue;
			throw new AlexNetError(
				'ALEXNET_ARGUMENT',
				`order[${i}] is ${inWords(index)}; the dataset has ${this.size} pictures, so expected 0 to ${this.size - 1}.`,
			);
		}
		return Int32Array.from(order);
	}
}

/** The memory of the batch that is being filled, and of those behind it that pictures in flight belong to. */
class Rows {
	readonly #batchSize: number;
	readonly #rowBytes: number;
	readonly #allocate: () => Uint8Array;
	readonly #memories: Uint8Array[] = [];
	#taken = 0;

	constructor(batchSize: number, rowBytes: number, allocate: () => Uint8Array) {
		this.#batchSize = batchSize;
		this.#rowBytes = rowBytes;
		this.#allocate = allocate;
	}

	/** Memory of a row, counted over all batches. */
	at(row: number): Uint8Array {
		const batch = Math.floor(row / this.#batchSize) - this.#taken;
		while (this.#memories.length <= batch) this.#memories.push(this.#allocate());
		const start = (row % this.#batchSize) * this.#rowBytes;
		return this.#memories[batch]?.subarray(start, start + this.#rowBytes) ?? new Uint8Array(0);
	}

	/** Brings pixels into a row of the batch that is being filled, where they are not there. */
	fill(row: number, pixels: Uint8Array): void {
		const target = this.at(this.#taken * this.#batchSize + row);
		const isThere = pixels.buffer === target.buffer && pixels.byteOffset === target.byteOffset;
		if (!isThere) target.set(pixels);
	}

	/** The memory of the batch that is being filled; the next one's turn begins. */
	take(): Uint8Array {
		++this.#taken;
		return this.#memories.shift() ?? new Uint8Array(0);
	}
}

/** Gives a batch's memory back for another one as soon as its successor's successor is asked for. */
async function* recycle(
	batches: AsyncGenerator<Batch, void, void>,
	spare: Uint8Array[],
	signal: AbortSignal,
): AsyncGenerator<Batch, void, void> {
	let previous: Batch | undefined;
	for await (const batch of batches) {
		signal.throwIfAborted();
		yield batch;
		if (previous) spare.push(previous.images);
		previous = batch;
	}
}
