import {Memory} from '../lib/device/memory.ts';
import {native} from '../lib/device/native.ts';
import type {Tensor} from '../lib/device/tensor.ts';

/** More than any cache that a processor's core or a GPU reaches by itself. */
export const flushBytes = 256 * 2 ** 20;

/** Pushes what was computed with last out of the caches: queues a copy that is larger than they are. */
export class CacheFlush {
	readonly #input: Tensor;
	readonly #output: Tensor;

	constructor(memory: Memory, bytes: number) {
		this.#input = memory.allocate([bytes / 4], 'float32');
		this.#output = memory.allocate([bytes / 4], 'float32');
		native.fill({output: this.#input, value: 1});
	}

	queue(): void {
		native.copy({input: this.#input, output: this.#output});
	}
}

/** Median and quartiles, interpolated between samples. */
export function quartiles(samples: readonly number[]): {lower: number; median: number; upper: number} {
	const sorted = samples.toSorted((a, b) => a - b);
	const at = (share: number): number => {
		const place = share * (sorted.length - 1);
		const [below, above] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
		return below + (above - below) * (place % 1);
	};
	return {lower: at(0.25), median: at(0.5), upper: at(0.75)};
}
