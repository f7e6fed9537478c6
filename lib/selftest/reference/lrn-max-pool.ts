// Local response normalization and max pooling in one pass. What is pooled is rounded to the tensors' type first, so of
// values that round to the same the first one wins.
import type {LrnOptions, PoolOptions} from '../../device/operations.ts';
import {roundTo, type RealType} from '../bfloat16.ts';
import {Sums, unitRoundoff} from '../tolerance.ts';
import {derivative} from './activate.ts';
import {lrn, lrnBackward, lrnBackwardRoundings, lrnRoundings} from './lrn.ts';
import {forEachWindow, maxPoolBackward, winners, type PoolInput} from './max-pool.ts';

export interface LrnMaxPoolGeometry {
	readonly shape: PoolInput;
	readonly lrn: LrnOptions;
	readonly pool: PoolOptions;
}

/**
 * output [N, P, Q, C], not rounded; compare it with the bound on lrn's rounding errors: that grows with a value's size, so
 * no other value of the window can pass the largest one's bound.
 */
export function lrnMaxPool({shape, ...options}: LrnMaxPoolGeometry, input: Float64Array): Sums {
	const normalized = lrn(options.lrn, shape[3], input).values;
	const taken = winners(shape, options.pool, normalized);
	const output = new Sums(taken.length);
	taken.forEach((winner, index) => output.add(index, normalized[winner]!));
	return output;
}

/** inputGradient [N, H, W, C]; `activation`: what the input is the output of. */
export function lrnMaxPoolBackward(
	type: RealType,
	{shape, ...options}: LrnMaxPoolGeometry,
	activation: 'none' | 'relu',
	input: Float64Array,
	outputGradient: Float64Array,
): Sums {
	const round = (value: number): number => roundTo(type, value);
	const pooled = lrn(options.lrn, shape[3], input).values.map(round);
	const gathered = maxPoolBackward(shape, options.pool, pooled, outputGradient);
	const gradient = lrnBackward(options.lrn, shape[3], input, gathered.values.map(round));
	// Windows' gradients that cancel leave their rounding errors behind.
	gradient.terms.set(lrnBackward(options.lrn, shape[3], input, gathered.terms).terms);
	input.forEach((value, index) => {
		const slope = derivative(activation, value);
		gradient.values[index]! *= slope;
		gradient.terms[index]! *= slope;
	});
	return gradient;
}

/** Those of lrnBackward, and of the fp32 sum over the windows that hold an input. */
export function lrnMaxPoolBackwardRoundings({lrn: options, pool}: LrnMaxPoolGeometry): number {
	return lrnBackwardRoundings(options) + Math.ceil(pool.size / pool.stride) ** 2;
}

/**
 * Inputs of which a device's rounding errors might decide which one wins a window. What is equal here is made of equal
 * inputs, or of few small numbers whose squares add up exactly, and so is equal on a device.
 */
export function undecided(
	type: RealType,
	{shape, ...options}: LrnMaxPoolGeometry,
	input: Float64Array,
): ReadonlySet<number> {
	const normalized = lrn(options.lrn, shape[3], input).values;
	const share = lrnRoundings(options.lrn) * unitRoundoff.float32;
	const [least, most] = [-share, share].map((error) =>
		normalized.map((value) => roundTo(type, value + error * Math.abs(value))),
	) as [Float64Array, Float64Array];
	const taken = winners(
		shape,
		options.pool,
		normalized.map((value) => roundTo(type, value)),
	);
	const found = new Set<number>();
	forEachWindow(shape, options.pool, (output, inputs) => {
		const winner = taken[output]!;
		if (Number.isNaN(normalized[winner]!)) return;
		for (const other of inputs) {
			const isBehind = other < winner ? most[other]! < least[winner]! : most[other]! <= least[winner]!;
			const isSame = normalized[other] === normalized[winner] && other >= winner;
			if (!isBehind && !isSame) found.add(winner).add(other);
		}
	});
	return found;
}
