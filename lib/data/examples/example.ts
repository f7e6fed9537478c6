import {availableParallelism} from 'node:os';

/** What one set of example pictures is, and how its folder is filled. */
export interface Example {
	/** In a sentence. */
	readonly about: string;
	readonly licence: string;
	/** What is downloaded, and with what. */
	readonly needs: string;
	/** Changes whenever the same request would give other pictures than before. */
	readonly version: number;
	/** How many training pictures there can be, where that may be chosen. */
	readonly choice?: {readonly least: number; readonly most: number; readonly default: number};
	/** Fills an empty folder with {train,val}/<class>/… */
	readonly layOut: (folder: string, request: ExampleRequest) => Promise<void>;
}

export interface ExampleRequest {
	/** Training pictures; 0 where there is no choice. */
	readonly pictures: number;
	/** A folder that has the files which would be downloaded. */
	readonly source: string | undefined;
	/** An empty folder that goes afterwards. */
	readonly scratch: string;
	/** Where downloads are kept for the next time. */
	readonly cacheFolder: string;
	readonly signal: AbortSignal | undefined;
	readonly onProgress: (done: number, total: number) => void;
}

/** How many of `total` the n-th of `parts` gets: as even as it can be, the first ones getting what is left over. */
export function evenShare(total: number, parts: number, n: number): number {
	return Math.floor(total / parts) + (n < total % parts ? 1 : 0);
}

/**
 * Does what is to be done for each item, for several at the same time. Whatever happens, nothing goes on when it is over.
 *
 * @throws what the first one to fail has thrown, or the signal's reason.
 */
export async function eachAtOnce<T>(
	items: Iterable<T>,
	signal: AbortSignal | undefined,
	work: (item: T) => Promise<void>,
): Promise<void> {
	const left = items[Symbol.iterator]();
	const failures: unknown[] = [];
	const worker = async (): Promise<void> => {
		for (let next = left.next(); next.done !== true && failures.length === 0; next = left.next()) {
			try {
				signal?.throwIfAborted();
				await work(next.value);
			} catch (error) {
				failures.push(error);
			}
		}
	};
	await Promise.all(Array.from({length: 2 * availableParallelism()}, worker));
	if (failures.length > 0) throw failures[0];
}
