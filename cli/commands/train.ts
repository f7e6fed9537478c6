import {resolve} from 'node:path';
import type {Command} from 'commander';
import {filePath, filled, flag, integer, option, text, type Check, type Checked} from '../../lib/base/check.ts';
import {AlexNetError} from '../../lib/base/errors.ts';
import {seed} from '../../lib/base/random.ts';
import {packageVersion} from '../../lib/base/package.ts';
import {alexNetOptions} from '../../lib/classifier.ts';
import {initOf} from '../../lib/net/alexnet.ts';
import {imageFolderOptions, type ImageFolderOptions} from '../../lib/data/image-folder.ts';
import {ImageFolder, type AlexNetOptions, type RateScalingOptions, type RecipeName} from '../../lib/index.ts';
import {RunFolder} from '../../lib/run/run-folder.ts';
import {WatchServer} from '../../lib/report/watch-server.ts';
import type {MpiGroup} from '../../lib/mpi.ts';
import {requireRateScaling} from '../../lib/training/rate-scaling.ts';
import {requireSame} from '../../lib/training/together.ts';
import {trainOptions} from '../../lib/training/trainer.ts';
import {Interruptible} from '../interrupt.ts';
import {imageSizeOf, netChoiceChecks, readArchitectures, withNetChoice, withoutToldElsewhere} from '../net-choice.ts';
import type {NetChoice} from '../net-choice.ts';
import {resumeRun, startRun, type OpenedRun, type RunNetOptions} from '../open-run.ts';
import {outliveOutput, Output} from '../output.ts';
import {addOptions, commonChecks, runFlags} from '../parse.ts';
import {describeDefaults, recipeCheck, withRecipe} from '../recipe-choice.ts';
import {differing, follow, leadWith, ofFirst, onAll, placeOf, withGlobalBatch, withRanks} from '../ranks.ts';
import {resumedOptions} from '../run-config.ts';
import {saveEveryOptions} from '../../lib/run/train-run.ts';
import {describeBest, trainInTerminal} from '../train-run.ts';

type NotOfTrain = 'devices' | 'preset' | 'labels' | 'classes' | 'inferenceOnly';

/** What the library is told, and what belongs to the command alone. */
interface TrainCommandOptions
	extends
		Omit<Checked<typeof alexNetOptions>, NotOfTrain | keyof NetChoice>,
		NetChoice,
		Pick<AlexNetOptions, 'preset'>,
		Pick<Checked<typeof trainOptions>, 'epochs' | 'divideAt' | 'patience' | 'crops'>,
		RateScalingOptions,
		Pick<ImageFolderOptions, 'validationFraction' | 'strict'> {
	device: string;
	recipe?: RecipeName;
	augment: boolean;
	out: string;
	resume?: string;
	batchSizePerRank?: number;
	saveEverySteps?: number;
	saveEveryMinutes?: number;
	watch?: number | true;
	watchHost: string;
	json?: boolean;
}

const leftOut = <T>(check: Check<T> & {readonly help: string}, what: string): Check<T> => {
	return option(check, `${check.help}; left out, ${what}`);
};

const checks = {
	...{...imageFolderOptions.checks, ...alexNetOptions.checks, ...trainOptions.checks, ...commonChecks},
	...netChoiceChecks,
	...{saveEverySteps: saveEveryOptions.checks.steps, saveEveryMinutes: saveEveryOptions.checks.minutes},
	seed: seed('decides weights, masks, crops, order and what is held out'),
	// Of these, runs from before there was a choice do not say what they are.
	preset: leftOut(alexNetOptions.checks.preset, 'paper'),
	learningRateScaling: leftOut(trainOptions.checks.learningRateScaling, 'none'),
	referenceBatchSize: leftOut(trainOptions.checks.referenceBatchSize, "the recipe's"),
	warmUpEpochs: leftOut(trainOptions.checks.warmUpEpochs, 'none'),
	wire: leftOut(alexNetOptions.checks.wire, 'fp32'),
	recipe: recipeCheck,
	augment: option(flag, 'random crops, mirror images and PCA colour'),
	out: option(filePath, 'run folder for checkpoints and metrics', 'run'),
	resume: option(filePath, 'go on with the run in this folder; --epochs may be raised'),
	batchSize: option(commonChecks.batchSize, 'pictures at once, of all ranks together', commonChecks.batchSize.default),
	batchSizePerRank: option(integer(1), 'pictures at once of each rank that mpirun starts, in place of --batch-size'),
	watch: option(integer(0, 65535), 'show the run in a browser while it is under way; a free port where none is named'),
	watchHost: option(text, 'address for --watch; other than loopback, its URL has a token in it', '127.0.0.1'),
	json: option(flag, 'print every report as a line of JSON'),
};

/** By the groups of the help. */
const flags = {
	'Run:': [
		...[...runFlags, '--epochs <number>', '--batch-size <number>', '--seed <number>', '--out <folder>'],
		...[
			'--batch-size-per-rank <number>',
			'--wire <type>',
			'--resume <run>',
			'--save-every-steps <number>',
			'--save-every-minutes <number>',
			'--json',
		],
		...['--watch [port]', '--watch-host <address>'],
	],
	'Recipe (paper, section 5):': [
		...['--recipe <recipe>', '--learning-rate <number>', '--momentum <number>', '--weight-decay <number>'],
		...['--bias-learning-rate-scale <number>', '--bias-weight-decay <number>', '--divide-at <epochs>'],
		...['--patience <epochs>', '--learning-rate-scaling <how>', '--reference-batch-size <number>'],
		'--warm-up-epochs <number>',
	],
	'Net:': [
		...[
			'--preset <preset>',
			'--architecture <file>',
			'--init <init>',
			'--activation <function>',
			'--no-lrn',
			'--pooling <window/stride>',
			'--dropout <share>',
		],
		'--columns <number>',
	],
	'Fine-tuning:': ['--from <checkpoint>', '--freeze <layers>', '--last-layer-learning-rate-scale <number>'],
	'Pictures:': [
		...['--validation-fraction <share>', '--no-augment', '--pca-scale <scale>', '--crops <number>', '--strict'],
	],
};

export function addTrain(program: Command): void {
	const command = program
		.command('train')
		.summary('train on a folder of pictures')
		.description(
			'Train on a folder of pictures: <folder>/<class>/*.jpg, of which a part is held out, or ' +
				'<folder>/{train,val}/<class>/*.jpg. Reads JPEG, PNG, WebP, GIF and TIFF.\n' +
				'Ctrl-C ends after the current step, with a checkpoint; pressed again, at once. --resume goes on from the ' +
				'last checkpoint, with the settings that the run was started with, as if it had never stopped.',
		)
		.argument('<folder>', 'the pictures');
	for (const [group, each] of Object.entries(flags)) addOptions(command.optionsGroup(group), checks, ...each);
	readArchitectures(command);
	describeDefaults(command);
	command.action(async (folder: string, options: TrainCommandOptions) => {
		outliveOutput();
		await withRanks(async (group) => {
			const output = new Output({...options, silent: group !== undefined && group.rank > 0});
			using interruptible = new Interruptible(() =>
				output.note('Ending after the current step, with a checkpoint. Press Ctrl-C again to end at once.'),
			);
			await train(command, folder, withGlobalBatch(command, options, group), {output, interruptible, group});
		});
	});
}

async function train(
	command: Command,
	folder: string,
	given: TrainCommandOptions,
	{output, interruptible, group}: {output: Output; interruptible: Interruptible; group: MpiGroup | undefined},
): Promise<void> {
	const {signal} = interruptible;
	const path = runPath(command, given);
	// First of all: those of another version may do other things together from here on.
	if (group) await requireSame(group, {version: packageVersion, ...differing(given)});
	const {resumed, asked, imageSize} = await ofFirst(group, async () => {
		const found = given.resume === undefined ? undefined : await RunFolder.read(path);
		if (!found) await RunFolder.requireFree(path);
		const all = found ? resumedOptions(command, given, path, found.config) : given;
		return {
			resumed: found,
			asked: all,
			imageSize: await imageSizeOf(all, found?.hasCheckpoint === true ? path : undefined),
		};
	});
	const data = await onAll(group, async () => {
		const opened = await ImageFolder.open(folder, filled(imageFolderOptions, {...asked, imageSize}));
		requireSeveralClasses(folder, opened);
		return opened;
	});
	const options = resumed ? asked : withNetChoice(command, withRecipe(command, asked, data.train.size, output));
	const settings = {folder, ...options};
	const net = netOptions(options, group);
	const {architecture, from, epochs, divideAt, patience, crops} = options;
	const {learningRateScaling, referenceBatchSize, warmUpEpochs} = options;
	const rates = {divideAt, patience, learningRateScaling, referenceBatchSize, warmUpEpochs};
	const training = {epochs, ...rates, augment: options.augment ? 'paper' : 'none', crops} as const;
	await onAll(group, () => requireRateScaling(training));
	const open = (): Promise<OpenedRun> =>
		resumed
			? resumeRun(path, resumed.config, data, net, {...resumed, settings, output})
			: startRun(path, data, net, settings);
	if (group && group.rank > 0) return follow(group, net, {data, training, signal});
	const opened = group ? await leadWith(group, open) : await open();
	await using model = opened.model;
	const init = (architecture ?? from) ? undefined : initOf(options);
	const watch = await watched(path, given, output, interruptible).catch(async (error: unknown) => {
		await opened.run.discard();
		throw error;
	});
	const result = await trainInTerminal({
		...{model, data, run: opened.run, init, from, output, signal, watch},
		training,
		saveEvery: {steps: options.saveEverySteps, minutes: options.saveEveryMinutes},
		resumeWith: `alexnet train ${quoted(folder)} --resume ${quoted(path)}`,
	});
	output.result(describeBest(result));
}

/** The page to watch the run in, where that is asked for. */
async function watched(
	run: string,
	{watch, watchHost: host}: TrainCommandOptions,
	output: Output,
	interruptible: Interruptible,
): Promise<WatchServer | undefined> {
	if (watch === undefined) return undefined;
	const onStop = (): void => interruptible.interrupt('SIGINT');
	const server = await WatchServer.open({run, host, port: watch === true ? 0 : watch, onStop});
	output.note(`Watch it at ${server.url}`);
	return server;
}

function netOptions(options: TrainCommandOptions, group: MpiGroup | undefined): RunNetOptions {
	const net = withoutToldElsewhere({...filled(alexNetOptions, options), from: options.from});
	return {...net, devices: options.device.split(','), ...(group && placeOf(group, options))};
}

/** The run's folder: a resumed run stays in its own. */
function runPath(command: Command, {out, resume}: TrainCommandOptions): string {
	if (resume === undefined) return out;
	if (command.getOptionValueSource('out') === 'cli' && resolve(out) !== resolve(resume)) {
		throw new AlexNetError(
			'ALEXNET_ARGUMENT',
			`A resumed run goes on in its own folder: --resume is '${resume}', --out is '${out}'. Leave --out out.`,
		);
	}
	return resume;
}

/** As a shell takes it for one word. */
function quoted(path: string): string {
	return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function requireSeveralClasses(folder: string, {labels}: ImageFolder): void {
	if (labels.length > 1) return;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`'${folder}' has one class, '${labels[0] ?? ''}'; a classifier needs at least two. Add a folder for each class.`,
	);
}
