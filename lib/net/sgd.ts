import {allNeeded, number, options} from '../base/check.ts';
import {native} from '../device/native.ts';
import type {Parameter} from './parameter.ts';
import {recipes} from './recipes.ts';

/** Momentum SGD with weight decay.                                                                          paper 5 */
export interface SgdOptions {
	/** Default 0.01. */
	learningRate?: number | undefined;
	/** Default 0.9. */
	momentum?: number | undefined;
	/** Default 0.0005. */
	weightDecay?: number | undefined;
	/** What multiplies the learning rate for biases. Default 2, as in the released code. */
	biasLearningRateScale?: number | undefined;
	/** Weight decay of biases. Default 0, as in the released code. */
	biasWeightDecay?: number | undefined;
}

export const sgdOptions = options<SgdOptions>({
	learningRate: number(0),
	momentum: number(0, 1),
	weightDecay: number(0),
	biasLearningRateScale: number(0),
	biasWeightDecay: number(0),
});

/** {@link SgdOptions} with every value filled in. */
export type SgdSettings = {readonly [Option in keyof SgdOptions]-?: number};

export const sgdSettingsCheck = allNeeded(sgdOptions);

/** Fills in the defaults. */
export function sgdSettings(given: SgdOptions): SgdSettings {
	const {learningRate = recipes.paper.create.learningRate, momentum = 0.9, weightDecay = 0.0005} = given;
	const {biasLearningRateScale = 2, biasWeightDecay = 0} = given;
	return {learningRate, momentum, weightDecay, biasLearningRateScale, biasWeightDecay};
}

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
