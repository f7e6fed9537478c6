import {allNeeded, number, option, options} from '../base/check.ts';
import {native} from '../device/native.ts';
import type {Parameter} from './parameter.ts';
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
}

export const sgdOptions = options<SgdOptions>()({
	learningRate: option(number(0), 'learning rate at first', recipes.paper.create.learningRate),
	momentum: option(number(0, 1), 'share of the last update that is kept', 0.9),
	weightDecay: option(number(0), 'weight decay, except of biases', 0.0005),
	biasLearningRateScale: option(number(0), 'what multiplies the learning rate for biases', 2),
	biasWeightDecay: option(number(0), 'weight decay of biases', 0),
});

/** {@link SgdOptions} with every value filled in. */
export type SgdSettings = {readonly [Option in keyof SgdOptions]-?: number};

export const sgdSettingsCheck = allNeeded(sgdOptions);

/** Queues v <- momentum v - weightDecay rate w - rate gradient; w <- w + v for all parameters, a call for each device. */
export function sgd(parameters: readonly Parameter[], settings: SgdSettings): void {
	const parts = parameters.flatMap(({isBias, parts: own}) => own.map((part) => ({isBias, part})));
	for (const device of new Set(parts.map(({part}) => part.memory.device))) {
		const here = parts.filter(({part}) => part.memory.device === device);
		native.sgd({
			momentum: settings.momentum,
			parameters: here.map(({isBias, part: {weights, velocity, gradient, operand}}) => ({
				weights,
				velocity,
				gradient,
				copy: operand === weights ? undefined : operand,
				learningRate: settings.learningRate * (isBias ? settings.biasLearningRateScale : 1),
				weightDecay: isBias ? settings.biasWeightDecay : settings.weightDecay,
			})),
		});
	}
}
