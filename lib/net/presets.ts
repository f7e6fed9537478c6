// The numbers in which AlexNets differ.
import type {Initial} from './initial.ts';
import type {LrnOptions} from '../device/native.ts';

/** Whose net it is: `paper` is the NIPS 2012 text's. */
export type Preset = 'paper';
/** How weights start: `paper`, `source2012` (the released training code) or `he`. */
export type Init = 'paper' | 'source2012' | 'he';

interface PresetNumbers {
	/** Side of the crop that the net sees. */
	readonly crop: number;
	readonly lrn: Omit<LrnOptions, 'columns'>;
}

export const presets: Readonly<Record<Preset, PresetNumbers>> = {
	// 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75; alpha is not divided by n.
	paper: {crop: 224, lrn: {size: 5, alpha: 1e-4, beta: 0.75, k: 2}},
};

/** Biases of 1 feed the ReLUs of these layers positive inputs from the start (section 5). */
const startAtOne = new Set(['conv2', 'conv4', 'conv5', 'fc6', 'fc7']);
const paperBias = (layer: string): number => (startAtOne.has(layer) ? 1 : 0);

/**
 * By layer:
 * - `paper`: every weight N(0, .01) (section 5). Small data sets can stay at chance with it for a long time.
 * - `source2012`: the released training code; conv3-5 N(0, .03), otherwise as the paper.
 * - `he`: as wide as the layer has inputs, N(0, gain / sqrt(inputs of a unit)), biases 0 (He et al. 2015), with a gain
 *   of .6 where theirs is sqrt(2). Theirs is for inputs that deviate by 1 and layers with nothing between; here pictures
 *   come on the 0-255 scale, and max pooling and dropout lift what they pass on, so that with sqrt(2) a step at the
 *   usual rates changes conv1 and fc8 by more than their weights, and the loss explodes. conv1 and fc8 start as the
 *   paper's: conv1 large enough to bear its gradients, fc8 small enough for logits near 0.
 */
export const initials: Readonly<Record<Init, (layer: string) => Initial>> = {
	paper: (layer) => ({deviation: 0.01, bias: paperBias(layer)}),
	source2012: (layer) => ({deviation: /^conv[345]$/.test(layer) ? 0.03 : 0.01, bias: paperBias(layer)}),
	he: (layer) => ({...(layer === 'conv1' || layer === 'fc8' ? {deviation: 0.01} : {gain: 0.6}), bias: 0}),
};
