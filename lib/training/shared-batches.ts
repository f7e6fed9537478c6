// A rank's slices of an epoch's batches: together they are the batches that one process would have.
import {AlexNetError} from '../base/errors.ts';
import type {Batch, BatchOptions, PictureSource} from '../data/picture-source.ts';
import {shareOf, type Group, type Slice} from '../net/group.ts';
import {exchange} from './together.ts';

/** A slice of a batch of all ranks. */
export interface SharedBatch extends Batch {
	readonly slice: Slice;
	/** The places of all pictures of the batch, in order. */
	readonly whole: Int32Array;
}

interface SharedBatchOptions {
	readonly group: Group;
	/** Pictures of a batch of all ranks. */
	readonly batchSize: number;
	/** Those that are left of an epoch. */
	readonly order: Int32Array;
	/** Places of those that cannot be read, as far as all ranks know. */
	readonly unreadable: readonly number[];
	/** Asks all ranks to end before the next batch. */
	readonly signal: AbortSignal | undefined;
	/** The consumer has left. */
	readonly left: AbortSignal;
	readonly allocate: BatchOptions['allocate'];
}

/**
 * Whole batches alone. Before each, the ranks agree: where any is asked to stop or cannot go on, all throw; where any has
 * found a picture that cannot be read, all leave it out, and batches are filled with those that follow, as one process
 * fills them.
 */
export async function* sharedBatches(
	source: PictureSource,
	{group, batchSize, order, unreadable, signal, left, allocate}: SharedBatchOptions,
): AsyncGenerator<SharedBatch, void, void> {
	const {start, end} = shareOf(batchSize, group);
	const leftOut = new Set(unreadable);
	let rest = order;
	for (;;) {
		const readable = rest.filter((place) => !leftOut.has(place));
		const count = Math.floor(readable.length / batchSize);
		const wholeOf = (index: number): Int32Array => readable.subarray(index * batchSize, (index + 1) * batchSize);
		const ownOf = (index: number): Int32Array => wholeOf(index).subarray(start, end);
		const size = end - start;
		const own = new Int32Array(count * size);
		for (let index = 0; index < count; ++index) own.set(ownOf(index), index * size);
		const batches = source.batches({batchSize: size, order: own, dropLast: true, signal: left, allocate});
		let found: readonly number[] = [];
		try {
			for (let index = 0; index < count && found.length === 0; ++index) {
				const whole = wholeOf(index);
				let batch: Batch | undefined;
				const all = await exchange(
					group,
					async () => {
						const result = await batches.next();
						batch = result.done === true ? undefined : result.value;
						return missing(source, ownOf(index), batch, leftOut);
					},
					{signal, sequence: 'loading'},
				);
				found = [...new Set(all.flat())];
				if (found.length > 0) rest = rest.subarray(rest.indexOf(whole[0] ?? 0));
				else if (batch) yield {...batch, whole, slice: {start, total: batchSize}};
			}
		} finally {
			await batches.return(undefined);
		}
		if (found.length === 0) return;
		for (const place of found) leftOut.add(place);
		source.leaveOut?.(found, 'a rank could not read it');
	}
}

/** Places of pictures that cannot be read, where some are not in the batch that should be; those of `known` are not told. */
function missing(
	source: PictureSource,
	expected: Int32Array,
	batch: Batch | undefined,
	known: ReadonlySet<number>,
): readonly number[] {
	const {indices} = batch ?? {indices: new Int32Array()};
	if (indices.length === expected.length && indices.every((place, row) => place === expected[row])) return [];
	const there = new Set(indices);
	const places = source.unreadablePlaces ?? [...expected].filter((place) => !there.has(place));
	const found = places.filter((place) => !known.has(place));
	if (found.length > 0) return found;
	throw new AlexNetError('ALEXNET_PICTURE', 'A source of pictures gave others than it was asked for.');
}
