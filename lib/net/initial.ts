// How the parameters of a layer start.
import {either, fields, finite, number, type Check} from '../base/check.ts';

/** How a layer's parameters start: weights ~ N(0, deviation), or N(0, gain / sqrt(inputs of a unit)); biases constant. */
export type Initial = (
	| {
			/** Standard deviation of the weights. */
			readonly deviation: number;
	  }
	| {
			/** Standard deviation of the weights, times the square root of a unit's inputs. */
			readonly gain: number;
	  }
) & {
	/** What every bias is. */
	readonly bias: number;
};

export const initialCheck: Check<Initial> = either(
	fields<{deviation: number; bias: number}>({deviation: number(0), bias: finite}),
	fields<{gain: number; bias: number}>({gain: number(0), bias: finite}),
	'an object of deviation or gain, and bias',
);
