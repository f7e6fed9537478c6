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

/** How weights start: by a preset, or `he`. */
export type Init = 'paper' | 'source2012' | 'caffe' | 'caffenet' | 'he';

/** Positive biases feed the ReLUs of these layers positive inputs from the start (section 5). */
const startPositive = new Set(['conv2', 'conv4', 'conv5', 'fc6', 'fc7']);
const biasOf = (layer: string, positive: number): number => (startPositive.has(layer) ? positive : 0);
const caffeDeviation = (layer: string): number => (/^fc[67]$/.test(layer) ? 0.005 : 0.01);

/**
 * By layer:
 * - `paper`: every weight N(0, .01) (section 5). Small data sets can stay at chance with it for a long time.
 * - `source2012`: the released training code; conv3-5 N(0, .03), otherwise as the paper.
 * - `caffe`, `caffenet`: Caffe's two nets; fc6 and fc7 N(0, .005), and in the first one biases of .1 for the paper's 1.
 * - `he`: as wide as the layer has inputs, N(0, gain / sqrt(inputs of a unit)), biases 0 (He et al. 2015), with a gain
 *   of .6 where theirs is sqrt(2). Theirs is for inputs that deviate by 1 and layers with nothing between; here pictures
 *   come on the 0-255 scale, and max pooling and dropout lift what they pass on, so that with sqrt(2) a step at the
 *   usual rates changes conv1 and fc8 by more than their weights, and the loss explodes. conv1 and fc8 start as the
 *   paper's: conv1 large enough to bear its gradients, fc8 small enough for logits near 0.
 */
export const initials: Readonly<Record<Init, (layer: string) => Initial>> = {
	paper: (layer) => ({deviation: 0.01, bias: biasOf(layer, 1)}),
	source2012: (layer) => ({deviation: /^conv[345]$/.test(layer) ? 0.03 : 0.01, bias: biasOf(layer, 1)}),
	caffe: (layer) => ({deviation: caffeDeviation(layer), bias: biasOf(layer, 0.1)}),
	caffenet: (layer) => ({deviation: caffeDeviation(layer), bias: biasOf(layer, 1)}),
	he: (layer) => ({...(layer === 'conv1' || layer === 'fc8' ? {deviation: 0.01} : {gain: 0.6}), bias: 0}),
};
