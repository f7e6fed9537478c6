// Many pictures: decoded ahead, so that whoever infers something from them gets them in batches.
import {setMaxListeners} from 'node:events';
import {untilAborted} from '../base/abort.ts';
import {must} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {decodePicture, type PictureInput} from './decode.ts';
import {mapAhead} from './map-ahead.ts';
import {decodedAtOnce} from './picture-reader.ts';

/** Text and bytes are iterable, too, and are one picture. */
export const manyPictures = must<Iterable<PictureInput> | AsyncIterable<PictureInput>>(
	'an array or another iterable of pictures (classify takes one)',
	(value) =>
		typeof value === 'object' &&
		value !== null &&
		(Symbol.iterator in value || Symbol.asyncIterator in value) &&
		!ArrayBuffer.isView(value),
);

export interface SeriesOptions {
	readonly imageSize: number;
	/** Pictures begun at once, at most. */
	readonly batchSize: number;
	readonly signal: AbortSignal | undefined;
	/** Throws where there is nobody any more to infer anything. */
	readonly requireOpen: () => void;
}

/** What was inferred from a picture, or why it cannot be decoded. */
type Inferred<P, R> = {picture: P} & (
	(R & {error?: undefined}) | ({[Name in keyof R]?: undefined} & {error: AlexNetError})
);

type Decoded<P> = {picture: P} & ({pixels: Uint8Array} | {pixels?: undefined; error: AlexNetError});

/**
 * What `infer` makes of each picture, in their order. A picture that cannot be decoded has an error in its place.
 *
 * @param infer is handed pixels [imageSize, imageSize, 3], and a signal that also aborts when the consumer leaves
 */
export async function* inferMany<P extends PictureInput, R extends object>(
	pictures: Iterable<P> | AsyncIterable<P>,
	{imageSize, batchSize, signal, requireOpen}: SeriesOptions,
	infer: (pixels: Uint8Array, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<Inferred<P, R>, void, undefined> {
	requireOpen();
	const leaving = new AbortController();
	const either = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
	setMaxListeners(0, either); // each picture under way is one
	const decode = async (picture: P): Promise<Decoded<P>> => {
		try {
			return {picture, pixels: await decodePicture(picture, imageSize)};
		} catch (error) {
			requireOpen();
			if (error instanceof AlexNetError) return {picture, error};
			throw error;
		}
	};
	const decoded = mapAhead(pictures, Math.min(batchSize, decodedAtOnce), decode);
	const inferred = mapAhead(decoded, batchSize, async (picture): Promise<Inferred<P, R>> => {
		if (!picture.pixels) return picture;
		return {picture: picture.picture, ...(await infer(picture.pixels, either))};
	});
	try {
		for (;;) {
			const {done, value} = await untilAborted(inferred.next(), signal);
			if (done === true) return;
			yield value;
		}
	} finally {
		leaving.abort();
		void inferred.return();
	}
}
