import {resolve} from 'node:path';
import {Option, type Command} from 'commander';
import {AlexNetError} from '../../lib/base/errors.ts';
import {ImageFolder, type AlexNetOptions, type PcaScale, type Precision} from '../../lib/index.ts';
import {initials} from '../../lib/net/presets.ts';
import {RunFolder} from '../../lib/run/run-folder.ts';
import {Interruptible} from '../interrupt.ts';
import {resumeRun, startRun} from '../open-run.ts';
import {outliveOutput, Output} from '../output.ts';
import {commonOptions, integer, integers, number, oneOf} from '../parse.ts';
import {byRecipe, recipeOption, withRecipe, type RecipeOptions} from '../recipe-choice.ts';
import {resumedOptions} from '../run-config.ts';
import {describeBest, trainInTerminal} from '../train-run.ts';

interface TrainCommandOptions extends RecipeOptions {
	device: string;
	threads?: number;
	precision: Precision;
	seed: number;
	out: string;
	resume?: string;
	saveEverySteps?: number;
	saveEveryMinutes: number;
	momentum: number;
	weightDecay: number;
	biasLearningRateScale: number;
	biasWeightDecay: number;
	divideAt?: number[];
	activation: 'relu' | 'tanh';
	lrn: boolean;
	pooling: '3/2' | '2/2';
	dropout: number;
	columns: 1 | 2;
	augment: boolean;
	pcaScale: PcaScale;
	validationFraction: number;
	crops: 1 | 10;
	strict?: boolean;
	json?: boolean;
}

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
		.argument('<folder>', 'the pictures')
		.optionsGroup('Run:')
		.addOption(commonOptions.device())
		.addOption(commonOptions.threads())
		.addOption(commonOptions.precision())
		.addOption(byRecipe('epochs', '--epochs <number>', 'passes over the pictures').argParser(integer(1)))
		.addOption(byRecipe('batchSize', '--batch-size <number>', 'pictures in a step').argParser(integer(1)))
		.option('--seed <number>', 'decides weights, masks, crops, order and what is held out', integer(0), 0)
		.option('--out <folder>', 'run folder for checkpoints and metrics', 'run')
		.option('--resume <run>', 'go on with the run in this folder; --epochs may be raised')
		.option('--save-every-steps <number>', 'write a checkpoint that often, besides after each epoch', integer(1))
		.option('--save-every-minutes <number>', 'and when so much time has passed', number(0), 10)
		.addOption(commonOptions.json('print every report as a line of JSON'));
	addRecipe(command);
	addNet(command);
	addData(command);
	command.action(async (folder: string, options: TrainCommandOptions) => {
		outliveOutput();
		const output = new Output(options);
		using interruptible = new Interruptible(() =>
			output.note('Ending after the current step, with a checkpoint. Press Ctrl-C again to end at once.'),
		);
		await train(command, folder, options, output, interruptible.signal);
	});
}

function addRecipe(command: Command): void {
	const patience = 'without --divide-at: epochs without a better result before it is';
	command
		.optionsGroup('Recipe (paper, section 5):')
		.addOption(recipeOption())
		.addOption(byRecipe('learningRate', '--learning-rate <number>', 'at first').argParser(number(0)))
		.option('--momentum <number>', 'share of the last update that is kept', number(0, 1), 0.9)
		.option('--weight-decay <number>', 'of weights', number(0), 0.0005)
		.option('--bias-learning-rate-scale <number>', 'rate of biases, as a multiple', number(0), 2)
		.option('--bias-weight-decay <number>', 'of biases', number(0), 0)
		.option('--divide-at <epochs>', 'divide the rate by 10 after these epochs: 30,60', integers(1))
		.addOption(byRecipe('patience', '--patience <epochs>', patience).argParser(integer(1)));
}

function addNet(command: Command): void {
	command
		.optionsGroup('Net:')
		.addOption(byRecipe('init', '--init <init>', 'how weights start').choices(Object.keys(initials)))
		.addOption(new Option('--activation <function>', 'nonlinearity').choices(['relu', 'tanh']).default('relu'))
		.option('--no-lrn', 'leave out local response normalization')
		.addOption(new Option('--pooling <window/stride>', 'overlapped or not').choices(['3/2', '2/2']).default('3/2'))
		.option('--dropout <share>', 'of fc6 and fc7, 0 for none', number(0, 1), 0.5)
		.option('--columns <number>', "2, or the paper's half-size net of 1", oneOf(1, 2), 2);
}

function addData(command: Command): void {
	command
		.optionsGroup('Pictures:')
		.option('--validation-fraction <share>', 'held out where there is no val folder', number(0, 1), 0.1)
		.option('--no-augment', 'centre crops instead of random crops, mirror images and PCA colour')
		.addOption(
			new Option('--pca-scale <scale>', "PCA colour by standard deviations, or the paper's eigenvalues")
				.choices(['deviation', 'eigenvalue'])
				.default('deviation'),
		)
		.addOption(commonOptions.crops('held-out picture'))
		.option('--strict', 'stop at a picture that cannot be read, instead of leaving it out');
}

async function train(
	command: Command,
	folder: string,
	given: TrainCommandOptions,
	output: Output,
	signal: AbortSignal,
): Promise<void> {
	const path = runPath(command, given);
	const resumed = given.resume === undefined ? undefined : await RunFolder.read(path);
	if (!resumed) await RunFolder.requireFree(path);
	const asked = resumed ? resumedOptions(command, given, path, resumed.config) : given;
	const {seed, validationFraction, strict = false} = asked;
	const data = await ImageFolder.open(folder, {validationFraction, strict, seed});
	requireSeveralClasses(folder, data);
	const options = resumed ? asked : withRecipe(command, asked, data.train.size, output);
	const settings = {folder, ...options};
	const opened = resumed
		? await resumeRun(path, resumed.config, data, netOptions(options), {...resumed, settings, output})
		: await startRun(path, data, netOptions(options), settings);
	await using model = opened.model;
	const {init, epochs, divideAt, patience, crops} = options;
	const result = await trainInTerminal({
		...{model, data, run: opened.run, init, output, signal},
		training: {epochs, divideAt, patience, augment: options.augment ? 'paper' : 'none', crops},
		saveEvery: {steps: options.saveEverySteps, minutes: options.saveEveryMinutes},
		resumeWith: `alexnet train ${quoted(folder)} --resume ${quoted(path)}`,
	});
	output.result(describeBest(result));
}

function netOptions(options: TrainCommandOptions): AlexNetOptions {
	const {init, activation, lrn, pooling, dropout, columns, device, threads, precision, batchSize, seed, pcaScale} =
		options;
	const {learningRate, momentum, weightDecay, biasLearningRateScale, biasWeightDecay} = options;
	return {
		...{init, activation, lrn, pooling, dropout, columns},
		...{devices: device.split(','), threads, precision, batchSize, seed, pcaScale},
		...{learningRate, momentum, weightDecay, biasLearningRateScale, biasWeightDecay},
	};
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
