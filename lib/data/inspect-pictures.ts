// A look at each picture by itself: can it be read, is it damaged, what is its shape.
import {setMaxListeners} from 'node:events';
import sharp from 'sharp';
import {messageOf} from '../base/errors.ts';
import {DecoderProcess} from './decoder-process.ts';
import type {Duplicates} from './duplicates.ts';
import {datasetOptions} from './dataset.ts';
import {greatestRatio, smallestSide, type Found} from './finding.ts';
import {mapAhead} from './map-ahead.ts';
import {PictureError, readPicture} from './picture-input.ts';
import {decodedAtOnce, type Picture} from './picture-reader.ts';
import {StorageError, withPatience} from './storage.ts';

/** What is known of a picture by itself. */
export interface Inspected {
	readonly place: number;
	readonly isReadable: boolean;
	readonly odd: readonly Found[];
}

/** Side to decode to: all of a picture's data is read for it, and nobody looks at the pixels. */
const imageSize = 64;

const patience = {seconds: datasetOptions.checks.retrySeconds.default};

/**
 * Reads each picture once, several at a time, in a process of its own, and adds it to the duplicates.
 *
 * @throws {@link StorageError} where one cannot be had for a reason that is none of its own; the signal's reason.
 */
export async function* inspectAll(
	pictures: readonly Picture[],
	duplicates: Duplicates,
	signal: AbortSignal | undefined,
): AsyncGenerator<Inspected, void, void> {
	const left = new AbortController();
	const stop = AbortSignal.any([left.signal, ...(signal ? [signal] : [])]);
	setMaxListeners(0, stop); // each picture whose storage fails is one
	const decoder = new DecoderProcess();
	const inspect = async ([place, {path}]: [number, Picture]): Promise<Inspected> => {
		try {
			const attempt = async (): Promise<Uint8Array> => (await readPicture(path)).bytes;
			const bytes = await withPatience(path, attempt, {...patience, signal: stop});
			await duplicates.add(place, bytes);
			const {suspect} = await decoder.prepare(path, bytes, {imageSize});
			const damage = suspect === undefined ? [] : [['suspect', [path], suspect] as const];
			return {place, isReadable: true, odd: [...damage, ...(await oddShape(path, bytes))]};
		} catch (error) {
			stop.throwIfAborted();
			if (error instanceof StorageError) throw error;
			const reason = error instanceof PictureError ? error.reason : `the decoder failed (${messageOf(error)})`;
			return {place, isReadable: false, odd: [['unreadable', [path], reason]]};
		}
	};
	try {
		for await (const inspected of mapAhead(pictures.entries(), decodedAtOnce, inspect)) {
			signal?.throwIfAborted();
			yield inspected;
		}
	} finally {
		left.abort();
	}
}

/** A decoder has survived it, so that its header can be read in this process. */
async function oddShape(path: string, bytes: Uint8Array): Promise<Found[]> {
	const {width, height} = await sharp(bytes, {limitInputPixels: false}).metadata();
	const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
	const found: Found[] = [];
	if (shorter < smallestSide) found.push(['tiny', [path], `it has ${width} x ${height} pixels`]);
	if (longer > greatestRatio * shorter) found.push(['extremeShape', [path], `it has ${width} x ${height} pixels`]);
	return found;
}
