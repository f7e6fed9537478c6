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
}

/** A picture's pixels [S, S, 3], S = imageSize, from its file; with what makes them suspect, where something does. */
export type DecodePicture = (path: string, imageSize: number) => Promise<Uint8Array | DecodedPicture>;

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
}

interface Outcome {
	readonly index: number;
	readonly pixels?: Uint8Array; // [S, S, 3]
	readonly error?: PictureError | StorageError;
}

// A core decodes one picture while another one's file is read or its turn in the order has not come. (libuv decodes on
// four threads unless UV_THREADPOOL_SIZE says otherwise.)
export const picturesInFlight = 2 * availableParallelism() + 1;

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
	readonly #cache = new Map<number, Uint8Array>();

	constructor(pictures: readonly Picture[], options: ReaderOptions) {
		this.#pictures = pictures;
		this.#imageSize = options.imageSize;
		this.#strict = options.strict;
		this.#budget = options.cacheBudget;
		this.#decoder = options.decode;
		this.#retrySeconds = options.retrySeconds;
	}

	leaveOut(indices: Int32Array): void {
		for (const index of indices) {
			this.unreadable.set(this.#pictures[index]?.path ?? '', 'it could not be read before the run was resumed');
		}
	}

	/**
	 * The readable pictures [S, S, 3] of the order, with a bounded number in flight. What is in flight when it ends, in
	 * whatever way, is waited for.
	 *
	 * @throws {@link StorageError} at the place of a picture that cannot be had; nothing is marked as unreadable for it.
	 */
	async *read(
		order: Int32Array,
		signal?: AbortSignal,
	): AsyncGenerator<{position: number; index: number; pixels: Uint8Array}, void, void> {
		const inFlight: Promise<Outcome>[] = [];
		const ended = new AbortController();
		const stop = AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]);
		let started = 0;
		let readable = 0;
		try {
			for (let position = 0; position < order.length; position++) {
				stop.throwIfAborted();
				for (; started < order.length && inFlight.length < picturesInFlight; started++) {
					inFlight.push(this.#decode(order[started] ?? 0, stop));
				}
				const {index = 0, pixels, error} = (await inFlight.shift()) ?? {};
				stop.throwIfAborted();
				if (error) this.#setAside(index, error);
				if (!pixels) continue;
				readable++;
				yield {position, index, pixels};
			}
		} finally {
			ended.abort();
			await Promise.all(inFlight);
		}
		if (readable === 0 && order.length > 0) throw this.#nothingReadable(order);
	}

	/** Never rejects: what went wrong is for the picture's turn in the order. */
	async #decode(index: number, signal: AbortSignal): Promise<Outcome> {
		const path = this.#pictures[index]?.path ?? '';
		const cached = this.#cache.get(index);
		if (cached) return {index, pixels: cached};
		if (this.unreadable.has(path) && !this.#strict) return {index};
		try {
			const attempt = async (): Promise<Uint8Array | DecodedPicture> => this.#decoder(path, this.#imageSize);
			const decoded = await withPatience(path, attempt, {seconds: this.#retrySeconds, signal});
			const {pixels, suspect} = 'pixels' in decoded ? decoded : {pixels: decoded};
			const expected = this.#imageSize * this.#imageSize * 3;
			if (pixels.length !== expected) throw new Error(`it gave ${pixels.length} bytes instead of ${expected}`);
			if (suspect !== undefined) this.#suspect(path, suspect);
			if (this.#budget.bytes >= pixels.length && !this.#cache.has(index)) {
				this.#budget.bytes -= pixels.length;
				this.#cache.set(index, pixels);
			}
			return {index, pixels};
		} catch (error) {
			const isOurs = error instanceof PictureError || error instanceof StorageError;
			return {index, error: isOurs ? error : decoderFailed(path, error)};
		}
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
