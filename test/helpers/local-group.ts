// Ranks of one process: what a group does, without MPI.
import type {Group, Wire} from '../../lib/net/group.ts';
import {roundTo} from '../../lib/selftest/bfloat16.ts';

interface Meeting {
	given: unknown[];
	come: number;
	all: Promise<readonly unknown[]>;
	resolve: (all: readonly unknown[]) => void;
}

/** Where ranks meet: the n-th call of each sequence is the same for all. */
class Place {
	readonly size: number;
	readonly #meetings = new Map<string, Meeting>();
	#failure: Error | undefined;
	readonly #waiting = new Set<(error: Error) => void>();

	constructor(size: number) {
		this.size = size;
	}

	async meet(key: string, rank: number, given: unknown): Promise<readonly unknown[]> {
		if (this.#failure) throw this.#failure;
		let meeting = this.#meetings.get(key);
		if (!meeting) {
			const {promise, resolve} = withResolvers<readonly unknown[]>();
			meeting = {given: [], come: 0, all: promise, resolve};
			this.#meetings.set(key, meeting);
		}
		meeting.given[rank] = given;
		if (++meeting.come === this.size) {
			this.#meetings.delete(key);
			meeting.resolve(meeting.given);
		}
		const {promise, reject} = withResolvers<never>();
		this.#waiting.add(reject);
		try {
			return await Promise.race([meeting.all, promise]);
		} finally {
			this.#waiting.delete(reject);
		}
	}

	fail(error: Error): void {
		this.#failure ??= error;
		for (const reject of this.#waiting) reject(this.#failure);
	}
}

function withResolvers<T>(): {promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void} {
	let resolve: ((value: T) => void) | undefined;
	let reject: ((error: Error) => void) | undefined;
	const promise = new Promise<T>((...both) => ([resolve, reject] = both));
	promise.catch(() => undefined);
	return {promise, resolve: (value) => resolve?.(value), reject: (error) => reject?.(error)};
}

/** A group for each of so many ranks. */
export function localGroups(size: number): Group[] {
	const place = new Place(size);
	return Array.from({length: size}, (_, rank) => {
		const calls = {steps: 0, loading: 0};
		const meet = async <T>(given: T, sequence: 'steps' | 'loading' = 'steps'): Promise<readonly T[]> =>
			(await place.meet(`${sequence} ${++calls[sequence]}`, rank, given)) as readonly T[];
		return {
			...{rank, size, localRank: rank, localSize: size, host: 'here'},
			sum: async (values: Float32Array | Float64Array, scale = 1, wire: Wire = 'fp32') => {
				const isFloat = values instanceof Float32Array;
				const rounded = isFloat ? Math.fround : (value: number) => value;
				const isHalved = isFloat && wire === 'bf16' && size > 1;
				const sent = (value: number): number => (isHalved ? roundTo('bfloat16', value) : value);
				const all = await meet(values.map((value: number) => sent(rounded(value * rounded(scale)))));
				const sum = (index: number): number => all.reduce((so, each) => rounded(so + each[index]!), -0);
				values.forEach((_, index) => (values[index] = sent(sum(index))));
			},
			broadcast: async (bytes: Uint8Array) => {
				const [first] = await meet(bytes.slice());
				bytes.set(first!);
			},
			gather: (bytes: Uint8Array, sequence) => meet(bytes, sequence),
			fail: (reason: unknown) => {
				place.fail(new Error(`Rank ${rank}: ${String(reason)}`));
			},
		};
	});
}
