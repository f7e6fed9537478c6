// A run that begins with another checkpoint's weights: what `train --from` decides, and what it leaves to the checkpoint.
import type {Command} from 'commander';
import {filePath, option} from '../lib/base/check.ts';
import {AlexNetError} from '../lib/base/errors.ts';
import {architectureOptions} from '../lib/net/alexnet.ts';
import {sgdOptions} from '../lib/net/sgd.ts';
import {fineTuneOptions} from '../lib/training/fine-tuning.ts';

const {learningRate, lastLayerLearningRateScale} = fineTuneOptions.checks;
const {lastLayerLearningRateScale: ofNewNets} = sgdOptions.checks;

/** Options of `train`. */
export const fineTuneChecks = {
	from: option(
		filePath,
		`begin with this checkpoint's weights and a new last layer; learning rate ${learningRate.default} unless given`,
	),
	// No default: runs of earlier versions, which have none in their config.json, can be resumed.
	lastLayerLearningRateScale: option(
		lastLayerLearningRateScale,
		`${lastLayerLearningRateScale.help}; left out, ${lastLayerLearningRateScale.default} with --from, else ${ofNewNets.default}`,
	),
};

export interface FineTuneCommandOptions {
	from?: string;
	lastLayerLearningRateScale?: number;
}

/** Whether an option, by its name, says what the net is like: with --from the checkpoint says it. */
export function describesNet(name: string): boolean {
	return name in architectureOptions.checks;
}

/**
 * The options of a new run.
 *
 * @throws ALEXNET_ARGUMENT where the command line describes a net although the checkpoint does.
 */
export function withFineTuning<T extends FineTuneCommandOptions>(command: Command, given: T): T {
	if (given.from === undefined) return given;
	const described = command.options.find((each) => {
		return describesNet(each.attributeName()) && command.getOptionValueSource(each.attributeName()) === 'cli';
	});
	if (described) {
		const message = `${described.long ?? described.flags} describes a new net, but --from takes that of '${given.from}'. Leave one of them out.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const ofTheRun = Object.entries(given).filter(([name]) => !describesNet(name));
	return {lastLayerLearningRateScale: lastLayerLearningRateScale.default, ...(Object.fromEntries(ofTheRun) as T)};
}
