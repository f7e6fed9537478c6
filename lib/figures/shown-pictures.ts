// Which pictures of a source a figure shows, and their pixels.
import {AlexNetError} from '../base/errors.ts';
import {shuffled} from '../base/random.ts';
import type {RawPicture} from '../data/picture-input.ts';
import type {PictureSource} from '../data/picture-source.ts';
import type {Model} from '../net/model.ts';
import {placesOf} from '../training/evaluate.ts';

/** A picture of a source. */
export interface ShownPicture {
	/** Its place in the source. */
	readonly index: number;
	/** What it shows, as the model calls it. */
	readonly label: string;
	/** Its file, where the source tells it. */
	readonly path?: string | undefined;
}

/** With its pixels. */
export interface SeenPixels extends ShownPicture {
	readonly pixels: RawPicture & {readonly data: Uint8Array};
}

export interface Draw {
	readonly count: number;
	readonly seed: number;
	/** In the place of a draw. */
	readonly places: readonly number[] | undefined;
	readonly signal: AbortSignal | undefined;
}

/**
 * The named pictures, or the first ones of all in an order that the seed alone decides, so that nobody has chosen them by
 * what the net says. In a draw, those that cannot be read give their places to the next.
 *
 * @throws ALEXNET_ARGUMENT where there are none, or a place is none of the source's; ALEXNET_PICTURE where a named one
 * cannot be read; ALEXNET_LABEL where the model does not know a class.
 */
export async function shownPictures(
	model: Model,
	source: PictureSource,
	{count, seed, places, signal}: Draw,
): Promise<SeenPixels[]> {
	const wrong = places?.find((place) => place >= source.size);
	if (wrong !== undefined) {
		const message = `places must be below ${source.size}, the number of pictures, got ${wrong}.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const wanted = places?.length ?? Math.min(count, source.size);
	if (wanted === 0) throw new AlexNetError('ALEXNET_ARGUMENT', 'There are no pictures to show.');
	const order = places ?? (await shuffled(source.size, seed, 0));
	const found: SeenPixels[] = [];
	for await (const pictures of batchesOf(model, source, {batchSize: wanted, order, signal})) {
		found.push(...pictures.slice(0, wanted - found.length));
		if (found.length === wanted) break;
	}
	if (places && found.length < wanted) {
		const lost = places.find((place) => !found.some(({index}) => index === place)) ?? 0;
		throw new AlexNetError('ALEXNET_PICTURE', `Cannot read picture ${source.pictures?.[lost]?.path ?? lost}.`);
	}
	return found;
}

interface Order {
	readonly batchSize: number;
	readonly order: ArrayLike<number>;
	readonly signal: AbortSignal | undefined;
}

/** Pictures in batches, with copies of their pixels. */
export async function* batchesOf(model: Model, source: PictureSource, order: Order): AsyncGenerator<SeenPixels[]> {
	const names = placesOf(model.labels, source.labels).map((place) => model.labels[place] ?? '');
	for await (const {images, labels, indices} of source.batches(order)) {
		const each = images.length / labels.length;
		const side = Math.sqrt(each / 3);
		yield Array.from(indices, (index, row): SeenPixels => {
			const data = images.slice(row * each, (row + 1) * each);
			return {
				...{index, label: names[labels[row] ?? 0] ?? '', path: source.pictures?.[index]?.path},
				pixels: {data, width: side, height: side, channels: 3},
			};
		});
	}
}

/** Pixels of several as the model takes them: [N, S, S, 3]. */
export function together(pictures: readonly SeenPixels[]): Uint8Array {
	return Buffer.concat(pictures.map(({pixels}) => pixels.data));
}
