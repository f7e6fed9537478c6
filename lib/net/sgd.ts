import {allNeeded, number, option, options} from '../base/check.ts';
import {native} from '../device/native.ts';
import type {Layer} from './layers/layer.ts';
import {recipes} from './recipes.ts';

/** Momentum SGD with weight decay.                                                                          paper 5 */
export interface SgdOptions {
	/** Learning rate at first. Default 0.01. */
	learningRate?: number | undefined;
	/** Share of the last update that is kept. Default 0.9. */
	momentum?: number | undefined;
	/** Weight decay, except of biases. Default 0.0005. */
	weightDecay?: number | undefined;
	/** What multiplies the learning rate for biases. Default 2, as in the released code. */
	biasLearningRateScale?: number | undefined;
	/** Weight decay of biases. Default 0, as in the released code. */
	biasWeightDecay?: number | undefined;
	/** What multiplies the learning rate in the last layer. Default 1. */
	lastLayerLearningRateScale?: number | undefined;
}

export const sgdOptions = options<SgdOptions>()({
	learningRate: option(number(0), 'learning rate at first', recipes.paper.create.learningRate),
	momentum: option(number(0, 1), 'share of the last update that is kept', 0.9),
	weightDecay: option(number(0), 'weight decay, except of biases', 0.0005),
	biasLearningRateScale: option(number(0), 'what multiplies the learning rate for biases', 2),
	biasWeightDecay: option(number(0), 'weight decay of biases', 0),
	lastLayerLearningRateScale: option(number(0), 'what multiplies the learning rate in the last layer', 1),
});

/** {@link SgdOptions} with every value filled in. */
export type SgdSettings = {readonly [Option in keyof SgdOptions]-?: number};

export const sgdSettingsCheck = allNeeded(sgdOptions);

/**
 * Queues v <- momentum v - weightDecay rate w - rate gradient; w <- w + v for all parameters that learn, a call for each
 * device.
 */
export function sgd(layers: readonly Layer[], settings: SgdSettings): void {
	const {learningRate, biasLearningRateScale, lastLayerLearningRateScale} = settings;
	const parts = layers.flatMap((layer, index) => {
		const ofLayer = learningRate * (index === layers.length - 1 ? lastLayerLearningRateScale : 1);
		const learning = layer.parameters.filter(({parameter}) => parameter.learns);
		return learning.flatMap(({parameter: {isBias, parts: own}}) =>
			own.map((part) => ({isBias, part, rate: ofLayer * (isBias ? biasLearningRateScale : 1)})),
		);
	});
	for (const device of new Set(parts.map(({part}) => part.memory.device))) {
		const here = parts.filter(({part}) => part.memory.device === device);
		native.sgd({
			momentum: settings.momentum,
			parameters: here.map(({isBias, rate, part: {weights, velocity, gradient, operand}}) => ({
				weights,
				velocity,
				gradient,
				copy: operand === weights ? undefined : operand,
				learningRate: rate,
				weightDecay: isBias ? settings.biasWeightDecay : settings.weightDecay,
			})),
		});
	}
}
