import {availableParallelism} from 'node:os';
import {AlexNetError, messageOf} from '../base/errors.ts';
import {PictureError, type DecodedPicture} from './decode.ts';
import {replaceIt} from './picture-input.ts';
import {StorageError, withPatience} from './storage.ts';

/** A picture file and what it shows. */
export interface Picture {
	/** Its file, as `decode` takes it; `unreadable`, `suspect` and errors name the picture by it. */
	readonly path: string;
	/** Index into the dataset's labels. */
	readonly label: number;
	/** Size of its file, where that need not be asked for: `contents` tells by it whether the picture is another. */
	readonly bytes?: number | undefined;
}

/** What a decoder may use besides. */
export interface DecodeHints {
	/** The picture as the dataset was given it, with all that it says. */
	readonly picture: Picture;
	/** Memory [S, S, 3] in which the pixels are wanted: a decoder that writes them there itself saves a copy. */
	readonly into?: Uint8Array | undefined;
}

/** A picture's pixels [S, S, 3], S = imageSize, from its file; with what makes them suspect, where something does. */
export type DecodePicture = (
	path: string,
	imageSize: number,
	hints: DecodeHints,
) => Promise<Uint8Array | DecodedPicture>;

/** Memory in bytes that is left for decoded pictures; several readers may share one. */
export interface CacheBudget {
	/** Goes down by imageSize x imageSize x 3 with each picture that is kept. */
	bytes: number;
}

interface ReaderOptions {
	readonly imageSize: number;
	readonly strict: boolean;
	readonly cacheBudget: CacheBudget;
	readonly decode: DecodePicture;
	/** How long a picture is asked for again whose storage fails. */
	readonly retrySeconds: number;
	/** Pictures that are read at the same time. */
	readonly atOnce: number;
}

interface Outcome {
	readonly index: number;
	readonly pixels?: Uint8Array; // [S, S, 3]
	readonly error?: PictureError | StorageError;
}

type ReadPictures = AsyncGenerator<{position: number; index: number; pixels: Uint8Array}, void, void>;

/**
 * A core decodes one picture while another one's file is read or its turn in the order has not come. (libuv decodes on
 * four threads unless UV_THREADPOOL_SIZE says otherwise.)
 */
export const decodedAtOnce = 2 * availableParallelism() + 1;

/** Decodes a list of pictures in any order, remembers what fits in the cache and which could not be read. */
export class PictureReader {
	/** Path and reason. */
	readonly unreadable = new Map<string, string>();
	/** Of those that are used although the decoder has stepped over damage; path and reason. */
	readonly suspect = new Map<string, string>();
	readonly #pictures: readonly Picture[];
	readonly #imageSize: number;
	readonly #strict: boolean;
	readonly #budget: CacheBudget;
	readonly #decoder: DecodePicture;
	readonly #retrySeconds: number;
	readonly #atOnce: number;
	readonly #cache = new Map<number, Uint8Array>();

	constructor(pictures: readonly Picture[], options: ReaderOptions) {
		this.#pictures = pictures;
		this.#imageSize = options.imageSize;
		this.#strict = options.strict;
		this.#budget = options.cacheBudget;
		this.#decoder = options.decode;
		this.#retrySeconds = options.retrySeconds;
		this.#atOnce = options.atOnce;
	}

	leaveOut(indices: Int32Array, reason: string): void {
		for (const index of indices) {
			const path = this.#pictures[index]?.path ?? '';
			if (!this.unreadable.has(path)) this.unreadable.set(path, reason);
		}
	}

	/** As {@link tried}, of an order of which some picture can be read. */
	async *read(order: Int32Array, signal?: AbortSignal, rowOf?: (row: number) => Uint8Array): ReadPictures {
		let readable = 0;
		for await (const picture of this.tried(order, signal, rowOf)) {
			readable++;
			yield picture;
		}
		if (readable === 0 && order.length > 0) throw this.#nothingReadable(order);
	}

	/**
	 * The readable pictures [S, S, 3] of the order, with a bounded number in flight. What is in flight when it ends, in
	 * whatever way, is waited for.
	 *
	 * @param rowOf memory for the n-th readable one: its pixels are there, or elsewhere, as `pixels` says
	 * @throws {@link StorageError} at the place of a picture that cannot be had; nothing is marked as unreadable for it.
	 */
	async *tried(order: Int32Array, signal?: AbortSignal, rowOf?: (row: number) => Uint8Array): ReadPictures {
		const inFlight: Promise<Outcome>[] = [];
		const ended = new AbortController();
		const stop = AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]);
		let started = 0;
		let readable = 0;
		let nextRow = 0;
		let waitsUntil = 0;
		try {
			for (let position = 0; position < order.length; position++) {
				stop.throwIfAborted();
				if (inFlight.length === 0) nextRow = readable;
				const mayStart = position >= waitsUntil;
				for (; mayStart && started < order.length && inFlight.length < this.#atOnce; started++) {
					const index = order[started] ?? 0;
					if (this.#isLeftOut(index)) inFlight.push(Promise.resolve({index}));
					else inFlight.push(this.#decode(index, stop, rowOf?.(nextRow++)));
				}
				const {index = 0, pixels, error} = (await inFlight.shift()) ?? {};
				stop.throwIfAborted();
				if (error) {
					this.#setAside(index, error);
					waitsUntil = started; // Those in flight have rows that are one too far: no other one comes before they are in.
				}
				if (!pixels) continue;
				readable++;
				yield {position, index, pixels};
			}
		} finally {
			ended.abort();
			await Promise.all(inFlight);
		}
	}

	/** Never rejects: what went wrong is for the picture's turn in the order. */
	async #decode(index: number, signal: AbortSignal, row?: Uint8Array): Promise<Outcome> {
		const picture = this.#pictures[index] ?? {path: '', label: 0};
		const {path} = picture;
		const cached = this.#cache.get(index);
		if (cached) return {index, pixels: cached};
		const isKept = this.#budget.bytes >= this.#imageSize * this.#imageSize * 3;
		const into = isKept ? undefined : row;
		try {
			const attempt = async (): Promise<Uint8Array | DecodedPicture> =>
				this.#decoder(path, this.#imageSize, {picture, into});
			const decoded = await withPatience(path, attempt, {seconds: this.#retrySeconds, signal});
			const {pixels, suspect} = 'pixels' in decoded ? decoded : {pixels: decoded};
			const expected = this.#imageSize * this.#imageSize * 3;
			if (pixels.length !== expected) throw new Error(`it gave ${pixels.length} bytes instead of ${expected}`);
			if (suspect !== undefined) this.#suspect(path, suspect);
			if (isKept && this.#budget.bytes >= pixels.length && !this.#cache.has(index)) {
				this.#budget.bytes -= pixels.length;
				this.#cache.set(index, pixels);
			}
			return {index, pixels};
		} catch (error) {
			const isOurs = error instanceof PictureError || error instanceof StorageError;
			return {index, error: isOurs ? error : decoderFailed(path, error)};
		}
	}

	#isLeftOut(index: number): boolean {
		return this.unreadable.size > 0 && !this.#strict && this.unreadable.has(this.#pictures[index]?.path ?? '');
	}

	#setAside(index: number, error: PictureError | StorageError): void {
		if (error instanceof StorageError) throw error;
		this.unreadable.set(this.#pictures[index]?.path ?? '', error.reason);
		if (this.#strict) throw error;
	}

	/** A strict reader does without. */
	#suspect(path: string, reason: string): void {
		if (this.#strict) throw new PictureError(path, reason, replaceIt);
		this.suspect.set(path, reason);
	}

	#nothingReadable(order: Int32Array): AlexNetError {
		const path = this.#pictures[order[0] ?? 0]?.path ?? '';
		const why = `the first is '${path}': ${this.unreadable.get(path) ?? ''}`;
		return new AlexNetError(
			'ALEXNET_PICTURE',
			`None of the ${order.length} pictures can be read; ${why}. Replace them with whole JPEG, PNG, WebP, GIF or TIFF files.`,
		);
	}
}

/** Not the picture's fault, as far as anybody knows; but it is the picture that cannot be had. */
function decoderFailed(path: string, error: unknown): PictureError {
	const advice = 'Replace the file or remove it; if whole pictures fail, reinstall sharp.';
	return new PictureError(path, `the decoder failed (${messageOf(error)})`, advice, {cause: error});
}
