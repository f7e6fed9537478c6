// Where a run's net comes from: a preset and what changes it, a file that holds a whole net (`train --architecture`), or
// another checkpoint (`train --from`).
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {InvalidArgumentError, type Command} from 'commander';
import {checked, filePath, option} from '../lib/base/check.ts';
import {AlexNetError} from '../lib/base/errors.ts';
import {reasonOf} from '../lib/base/files.ts';
import {parseShallow} from '../lib/base/json.ts';
import {checkpointArchitecture} from '../lib/checkpoint/checkpoint.ts';
import {architectureOptions} from '../lib/net/alexnet.ts';
import {architectureCheck, type Architecture} from '../lib/net/architecture.ts';
import {sgdOptions} from '../lib/net/sgd.ts';
import {runFiles} from '../lib/run/run-files.ts';
import {fineTuneOptions} from '../lib/training/fine-tuning.ts';

const {learningRate, lastLayerLearningRateScale} = fineTuneOptions.checks;
const {lastLayerLearningRateScale: ofNewNets} = sgdOptions.checks;

/** Options of `train`. */
export const netChoiceChecks = {
	architecture: option(
		architectureCheck,
		'a JSON file with a whole net of your own, in place of a preset and the options that change it',
	),
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

export interface NetChoice {
	architecture?: Architecture | undefined;
	from?: string | undefined;
	lastLayerLearningRateScale?: number | undefined;
}

/** Has `--architecture` take a file, and hold what is in it, which is what config.json keeps. */
export function readArchitectures({options}: Command): void {
	options.find((each) => each.attributeName() === 'architecture')?.argParser(architectureIn);
}

/** @throws InvalidArgumentError with the place in the file and what is wrong there. */
function architectureIn(path: string): Architecture {
	try {
		return checked('It', architectureCheck, parseShallow(readFileSync(path, 'utf8')));
	} catch (error) {
		throw new InvalidArgumentError(`${reasonOf(error)}. docs/own-architectures.md says what a net is made of.`);
	}
}

/** Whether an option, by its name, chooses a preset or changes it. */
const isOfPreset = (name: string): boolean => name in architectureOptions.checks;

/** Whether an option, by its name, says what the net is like although something else among `settings` says it as a whole. */
export function isToldElsewhere(
	{architecture, from}: Partial<Record<keyof NetChoice, unknown>>,
	name: string,
): boolean {
	if (from !== undefined) return isOfPreset(name) || name === 'architecture';
	return architecture !== undefined && isOfPreset(name);
}

/** The options without those that are told elsewhere. */
export function withoutToldElsewhere<T extends NetChoice>(options: T): T {
	return Object.fromEntries(Object.entries(options).filter(([name]) => !isToldElsewhere(options, name))) as T;
}

/**
 * The options of a new run.
 *
 * @throws ALEXNET_ARGUMENT where the command line describes a net although a file or a checkpoint does.
 */
export function withNetChoice<T extends NetChoice>(command: Command, given: T): T {
	const described = command.options.find((each) => {
		const name = each.attributeName();
		return isToldElsewhere(given, name) && command.getOptionValueSource(name) === 'cli';
	});
	if (described) {
		const other =
			given.from === undefined ? '--architecture gives a whole one' : `--from takes that of '${given.from}'`;
		const message = `${described.long ?? described.flags} describes a new net, but ${other}. Leave one of them out.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	if (given.from === undefined) return withoutToldElsewhere(given);
	return {lastLayerLearningRateScale: lastLayerLearningRateScale.default, ...withoutToldElsewhere(given)};
}

/**
 * The side of the pictures that a run's net takes; undefined for a preset's.
 *
 * @param resumed the folder of a run that has a checkpoint: the one it began with may be gone
 * @throws ALEXNET_CHECKPOINT where the checkpoint cannot be read.
 */
export async function imageSizeOf({architecture, from}: NetChoice, resumed?: string): Promise<number | undefined> {
	if (from === undefined) return architecture?.imageSize;
	const {imageSize} = await checkpointArchitecture(resumed === undefined ? from : join(resumed, runFiles.last));
	return imageSize;
}
