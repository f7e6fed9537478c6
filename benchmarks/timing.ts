import {Memory} from '../lib/device/memory.ts';
import {native, type NativeDevice, type Tensor} from '../lib/device/native.ts';

/** More than any cache that a processor's core or a GPU reaches by itself. */
const flushBytes = 256 * 2 ** 20;
/** Queued calls are timed together until they take this long: waiting for the device costs some microseconds itself. */
const leastSampleMilliseconds = 5;

/** Pushes what was computed with last out of the caches: queues a copy that is larger than they are. */
export class CacheFlush {
	readonly #input: Tensor;
	readonly #output: Tensor;

	constructor(memory: Memory) {
		this.#input = memory.allocate([flushBytes / 4], 'float32');
		this.#output = memory.allocate([flushBytes / 4], 'float32');
		native.normal({output: this.#input, seed: 1, stream: 0, deviation: 1});
	}

	queue(): void {
		native.copy({input: this.#input, output: this.#output});
	}
}

/** Milliseconds from the first call to the end of the last, on a device that was idle. */
export async function timeCalls(device: NativeDevice, calls: readonly (() => void)[]): Promise<number> {
	await device.synchronize();
	const start = performance.now();
	for (const call of calls) call();
	await device.synchronize();
	return performance.now() - start;
}

/** How many calls make a sample, given how long one takes. */
export function callsPerSample(milliseconds: number, most: number): number {
	return Math.max(1, Math.min(most, Math.ceil(leastSampleMilliseconds / milliseconds)));
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
