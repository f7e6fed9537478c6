// How many blocks of a kernel a multiprocessor holds at a time, and what limits them.
import {registersOfProcessor, registerUnit, type Limits} from './gpus.ts';

export type Limit = 'registers' | 'shared memory' | 'threads' | 'blocks';

export interface Occupancy {
	readonly blocks: number;
	readonly limit: Limit;
}

const lanes = 32;
const schedulers = 4;

/** @param sharedBytes static and dynamic, of a block */
export function occupancyOf(
	{registers, threads, sharedBytes}: {registers: number; threads: number; sharedBytes: number},
	limits: Limits,
): Occupancy {
	const warps = Math.ceil(threads / lanes);
	const registersOfWarp = Math.ceil((registers * lanes) / registerUnit) * registerUnit;
	const room: readonly (readonly [Limit, number])[] = [
		['blocks', limits.blocks],
		['threads', Math.floor(limits.threads / (warps * lanes))],
		['registers', Math.floor((schedulers * Math.floor(registersOfProcessor / schedulers / registersOfWarp)) / warps)],
		['shared memory', Math.floor(limits.sharedBytes / (sharedBytes + limits.reservedBytes))],
	];
	return room
		.map(([limit, blocks]) => ({limit, blocks}))
		.reduce((least, candidate) => (candidate.blocks < least.blocks ? candidate : least));
}
