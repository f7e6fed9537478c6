// Random inputs for tests, a function of a seed (the test's title): the same on every device and in every run.
import {roundTo, type RealType} from './bfloat16.ts';

export class Random {
	#state: number;

	constructor(seed: string) {
		let hash = 0x811c9dc5; // FNV-1a
		for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
		this.#state = hash | 1; // xorshift never leaves 0
	}

	/** Uniform in (0, 1). */
	uniform(): number {
		let x = this.#state;
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		this.#state = x;
		return ((x >>> 0) + 0.5) / 2 ** 32;
	}

	/** Uniform in 0 .. count - 1. */
	integer(count: number): number {
		return Math.floor(this.uniform() * count);
	}

	/**
	 * Values of both signs up to `scale`, none nearer to zero than a hundredth of it, exact in the type. `notFinite`: NaN
	 * and both infinities are among them.
	 */
	values(length: number, scale: number, dataType: RealType, notFinite = false): Float64Array {
		const values = new Float64Array(length);
		for (let i = 0; i < length; i++) {
			const sign = this.uniform() < 0.5 ? -1 : 1;
			values[i] = roundTo(dataType, sign * scale * (0.01 + 0.99 * this.uniform()));
		}
		if (notFinite) for (const special of [NaN, Infinity, -Infinity]) values[this.integer(length)] = special;
		return values;
	}

	/** Few different values, so that a window nearly always holds its maximum more than once. */
	ties(length: number, levels: number, shift: number): Float64Array {
		return new Float64Array(length).map(() => shift + this.integer(levels) + 0.5);
	}

	/** Different values at least `gap` apart and at least gap / 2 from zero, in random order: no kink is near. */
	distinct(length: number, gap: number): Float64Array {
		const values = new Float64Array(length).map((_, i) => gap * (i - Math.floor(length / 2) + 0.5));
		for (let i = length - 1; i > 0; i--) {
			const j = this.integer(i + 1);
			[values[i], values[j]] = [values[j]!, values[i]!];
		}
		return values;
	}
}
