// How the learning rate follows the batch: one that is meant for so many pictures, for others.
import {integer, number, oneOf, option, options} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import type {Progress} from '../net/progress.ts';
import {recipes} from '../net/recipes.ts';

/**
 * What large batches take; without it the learning rate is the model's, whatever the batch is. Weight decay grows with the
 * rate, which it is multiplied by as in the paper. Momentum stays: what it keeps are updates at the rates that they were
 * made with, as in the paper's formula, without the correction of Goyal 2017.
 */
export interface RateScalingOptions {
	/**
	 * How the learning rate follows the batch size, which is that of all ranks together and k times `referenceBatchSize`:
	 * 'linear' multiplies it by k (Goyal 2017, and what Krizhevsky 2014 found to work best), 'sqrt' by the square root of k
	 * (which keeps the variance of an update, Krizhevsky 2014), 'none' leaves it. Default 'none'.
	 */
	learningRateScaling?: 'none' | 'linear' | 'sqrt' | undefined;
	/** Batch size that the learning rate is meant for. Default: 128, the paper's. */
	referenceBatchSize?: number | undefined;
	/**
	 * Epochs of warm-up, fractions allowed, in which the rate goes from the unscaled to the scaled one by the same amount at
	 * each step (Goyal 2017, 2.2). The schedule does not divide it before their end. Default 0.
	 */
	warmUpEpochs?: number | undefined;
}

export const rateScalingOptions = options<RateScalingOptions>()({
	learningRateScaling: option(
		oneOf(['none', 'linear', 'sqrt']),
		'how the learning rate follows the batch size',
		'none',
	),
	referenceBatchSize: option(integer(1), 'batch size that the learning rate is meant for'),
	warmUpEpochs: option(number(0), 'epochs of warm-up, fractions allowed', 0),
});

/** Batch size that the learning rate is meant for. */
export function referenceOf({referenceBatchSize = recipes.paper.create.batchSize}: RateScalingOptions): number {
	return referenceBatchSize;
}

/** What multiplies the learning rate for a batch of all ranks, once the warm-up is over. */
export function scaleOf({learningRateScaling = 'none', ...options}: RateScalingOptions, batchSize: number): number {
	const k = batchSize / referenceOf(options);
	return {none: 1, linear: k, sqrt: Math.sqrt(k)}[learningRateScaling];
}

/**
 * What multiplies the learning rate of the next step. It is a function of how far the run is, so that a run which is
 * resumed within its warm-up goes on with the same rates.
 */
export function scaleAt(
	{warmUpEpochs = 0, ...options}: RateScalingOptions,
	batchSize: number,
	{epochs, epoch}: Pick<Progress, 'epochs' | 'epoch'>,
	stepsPerEpoch: number,
): number {
	const scale = scaleOf(options, batchSize);
	const passed = epochs + Math.min(1, epoch.steps / stepsPerEpoch);
	return passed < warmUpEpochs ? 1 + (scale - 1) * (passed / warmUpEpochs) : scale;
}

/** @throws ALEXNET_ARGUMENT for options that make no sense beside each other. */
export function requireRateScaling({
	learningRateScaling = 'none',
	referenceBatchSize,
	warmUpEpochs = 0,
	epochs = recipes.paper.train.epochs,
	divideAt = [],
}: RateScalingOptions & {epochs?: number | undefined; divideAt?: readonly number[] | undefined}): void {
	const refuse = (message: string): never => {
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	};
	if (learningRateScaling === 'none') {
		const why = "learningRateScaling is 'none'. Choose 'linear' or 'sqrt' there, or leave out";
		if (warmUpEpochs > 0)
			refuse(`warmUpEpochs is ${warmUpEpochs}, but there is no other rate to go to: ${why} warmUpEpochs.`);
		if (referenceBatchSize !== undefined)
			refuse(`referenceBatchSize is ${referenceBatchSize}, but the rate does not go by it: ${why} referenceBatchSize.`);
	}
	if (warmUpEpochs > epochs)
		refuse(`warmUpEpochs is ${warmUpEpochs}, more than all ${epochs} epochs. Make it smaller.`);
	const early = divideAt.find((epoch) => epoch < warmUpEpochs);
	if (early === undefined) return;
	refuse(
		`divideAt names epoch ${early}, within the warm-up (warmUpEpochs is ${warmUpEpochs}). ` +
			'Divide the rate later, or make the warm-up shorter.',
	);
}
