import {webcrypto} from 'node:crypto';

/** Maps grow by being built anew: of many small ones each takes a moment. */
const maps = 256;

/** So many bytes of a digest tell any two files apart. */
const digestBytes = 16;

/** Finds pictures of the same bytes among those that are added, in any order. It keeps about 70 bytes of each. */
export class Duplicates {
	readonly #firsts = Array.from({length: maps}, () => new Map<string, number>());
	readonly #groups = new Map<number, number[]>();

	/** Hashing runs off the main thread. */
	async add(place: number, bytes: Uint8Array): Promise<void> {
		const digest = Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes));
		const key = digest.toString('latin1', 1, 1 + digestBytes);
		const firsts = this.#firsts[digest[0] ?? 0];
		const first = firsts?.get(key);
		if (first === undefined) firsts?.set(key, place);
		else append(this.#groups, first, place);
	}

	/** Places of the same bytes, ascending, at least two in each group. */
	groups(): readonly (readonly number[])[] {
		const sorted = [...this.#groups.values()].map((places) => places.toSorted((a, b) => a - b));
		return sorted.sort(([a = 0], [b = 0]) => a - b);
	}
}

/** @param first begins a new list */
function append(groups: Map<number, number[]>, first: number, place: number): void {
	const group = groups.get(first);
	if (group) group.push(place);
	else groups.set(first, [first, place]);
}
