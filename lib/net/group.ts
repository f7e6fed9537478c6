// Processes that train one net together, each with a replica of it and a share of every batch. What they are joined by
// is not known here: lib/mpi/ has one.
import {must, oneOf, option} from '../base/check.ts';

/** What values are sent as between ranks; see `RunOptions.wire`. */
export type Wire = 'fp32' | 'bf16';

/**
 * Ranks that do the same calls in the same order, each in a process of its own. Collective calls resolve when all ranks
 * have made them. After `fail`, on whichever rank, what is under way or asked for later rejects everywhere.
 */
export interface Group {
	/** This process's, from 0. Rank 0 speaks and writes for all. */
	readonly rank: number;
	/** How many there are. */
	readonly size: number;
	/** This process's among those of the same machine, from 0: which of its GPUs to take. */
	readonly localRank: number;
	/** How many there are on the same machine. */
	readonly localSize: number;
	/** The machine's name. */
	readonly host: string;
	/**
	 * Adds up over the ranks what each has at a place of the array, multiplied by its own `scale` first, and leaves the sum
	 * there on all of them, with the same bits. Leave the array as it is until the promise settles.
	 *
	 * @param wire as 'bf16', float32 values are rounded to bfloat16 when they are sent, and so are their sums: an error of at
	 * most 2^-8 of the sum of their magnitudes, and 2^-8 of the result
	 */
	sum(values: Float32Array | Float64Array, scale?: number, wire?: Wire): Promise<void>;
	/** Leaves rank 0's bytes in the arrays of all ranks. Leave the array as it is until the promise settles. */
	broadcast(bytes: Uint8Array): Promise<void>;
	/**
	 * What each rank has given, in the order of the ranks.
	 *
	 * @param sequence calls of different sequences need not come in the same order on all ranks: 'loading' is what the
	 * pictures of the next step are agreed on in
	 */
	gather(bytes: Uint8Array, sequence?: 'steps' | 'loading'): Promise<readonly Uint8Array[]>;
	/** Tells all ranks that this one cannot go on. */
	fail(reason: unknown): void;
}

export const group = option(
	must<Group>('a group of ranks, such as `await mpiGroup()` gives', (value) => {
		const {rank, size, sum, fail} = (value ?? {}) as Partial<Record<keyof Group, unknown>>;
		return Number.isInteger(rank) && Number.isInteger(size) && typeof sum === 'function' && typeof fail === 'function';
	}),
	'ranks that train one net together, each on its share of every batch',
);

export const wire = option(oneOf(['fp32', 'bf16']), 'type of gradients between ranks', 'fp32');

/** Where a rank's pictures are in a batch of all ranks. */
export interface Slice {
	/** The first one's place. */
	readonly start: number;
	/** Pictures of all ranks. */
	readonly total: number;
}

/** A rank's part of so many things in a row: shares differ by one at most. */
export function shareOf(total: number, {rank, size}: Pick<Group, 'rank' | 'size'>): {start: number; end: number} {
	const cut = (place: number): number => Math.floor((place * total) / size);
	return {start: cut(rank), end: cut(rank + 1)};
}
