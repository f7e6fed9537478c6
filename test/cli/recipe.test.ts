// Which recipe `train` takes, what overrides it, and what a resumed run keeps.
import {Command} from 'commander';
import test from 'ava';
import {alexnet} from '../../lib/net/alexnet.ts';
import {addTrain} from '../../cli/commands/train.ts';
import {DivergenceNote} from '../../cli/divergence.ts';
import {Output} from '../../cli/output.ts';
import {withRecipe, type RecipeOptions} from '../../cli/recipe-choice.ts';
import {resumedOptions} from '../../cli/run-config.ts';
import {AlexNet, recipeFor, recipes, type EpochReport, type StepReport} from '../../lib/index.ts';
import {Model} from '../../lib/net/model.ts';
import {tinyLabels, tinyNet} from '../helpers/networks.ts';

class Notes extends Output {
	readonly lines: string[] = [];

	override note(text: string): void {
		this.lines.push(text);
	}
}

/** The train command after these arguments. */
function commandOf(...args: string[]): Command {
	const program = new Command();
	addTrain(program);
	const [command] = program.commands;
	command!.parseOptions(args);
	return command!;
}

function chosen(pictures: number, ...args: string[]): {options: RecipeOptions; words: string} {
	const command = commandOf(...args);
	const output = new Notes();
	const options = withRecipe(command, command.opts<RecipeOptions>(), pictures, output);
	return {options, words: output.lines.join('\n')};
}

test('few pictures take the small recipe, ImageNet the paper’s, and each says why', (t) => {
	const {small, paper} = recipes;
	const few = chosen(99_999);
	t.like(few.options, {recipe: 'small', ...small.create, ...small.train});
	t.regex(few.words, /^Recipe 'small', as there are 99,999 training pictures: /);
	const many = chosen(100_000);
	t.like(many.options, {recipe: 'paper', ...paper.create, ...paper.train});
	t.regex(
		many.words,
		/^Recipe 'paper', as there are 100,000 training pictures: 90 epochs in batches of 128, learning /,
	);
	t.is(recipeFor(99_999), 'small');
	t.is(recipeFor(100_000), 'paper');
});

test('--recipe and single options override it', (t) => {
	const {options, words} = chosen(500, '--recipe', 'paper', '--epochs', '7', '--init', 'he');
	t.like(options, {recipe: 'paper', learningRate: recipes.paper.create.learningRate, epochs: 7, init: 'he'});
	t.regex(words, /^Recipe 'paper', as asked for: 7 epochs in batches of 128, .*, init 'he', /);
	t.like(chosen(200_000, '--recipe', 'small').options, {...recipes.small.create, ...recipes.small.train});
	// What equals another recipe's default is an explicit choice all the same.
	const rate = recipes.paper.create.learningRate;
	t.is(chosen(500, '--learning-rate', `${rate}`).options.learningRate, rate);
});

test('a rate that follows the batch is meant for the recipe’s, unless another is named', (t) => {
	t.is(chosen(500).options.referenceBatchSize, undefined);
	const linear = ['--learning-rate-scaling', 'linear', '--batch-size', '256'];
	t.is(chosen(500, ...linear).options.referenceBatchSize, recipes.small.create.batchSize);
	t.is(chosen(500_000, ...linear).options.referenceBatchSize, recipes.paper.create.batchSize);
	t.is(chosen(20, '--learning-rate-scaling', 'sqrt').options.referenceBatchSize, recipes.small.create.batchSize);
	t.is(chosen(500, ...linear, '--reference-batch-size', '64').options.referenceBatchSize, 64);
});

test('a preset starts as its own with the paper’s recipe, and as the small recipe says with that', (t) => {
	const many = chosen(200_000, '--preset', 'caffe');
	t.is(many.options.init, undefined);
	t.regex(many.words, /, init 'caffe', /);
	t.regex(chosen(200_000, '--preset', 'owt').words, /, init 'he', /);
	t.regex(chosen(200_000).words, /, init 'paper', /);
	t.is(chosen(500, '--preset', 'caffe').options.init, recipes.small.create.init);
});

test('a recipe’s batch is at most half of the pictures; one that is asked for is left as it is', (t) => {
	const {options, words} = chosen(37);
	t.is(options.batchSize, 18);
	t.regex(words, /in batches of 18 \(half of the pictures\)/);
	t.is(chosen(1).options.batchSize, 1);
	t.is(chosen(37, '--batch-size', '64').options.batchSize, 64);
	t.is(chosen(64).options.batchSize, recipes.small.create.batchSize);
	t.notRegex(chosen(64).words, /half/);
});

test('a resumed run keeps its recipe, and refuses another', (t) => {
	const settings = {...commandOf().opts<object>(), ...chosen(37, '--patience', '3').options};
	const resume = (saved: object, ...args: string[]): RecipeOptions => {
		const command = commandOf(...args);
		return resumedOptions(command, command.opts<RecipeOptions>(), 'run', {settings: saved, labels: []});
	};
	const {recipe, init, learningRate, batchSize, epochs, patience} = resume(settings);
	t.deepEqual({init, learningRate}, {init: recipes.small.create.init, learningRate: recipes.small.create.learningRate});
	t.deepEqual([recipe, batchSize, epochs, patience], ['small', 18, recipes.small.train.epochs, 3]);
	t.is(resume(settings, '--recipe', 'small').recipe, 'small');
	t.throws(() => resume(settings, '--recipe', 'paper'), {code: 'ALEXNET_ARGUMENT', message: /--recipe is "paper"/});
	t.is(resume({...settings, recipe: undefined}).batchSize, 18, 'a run from before there were recipes');
	t.is(resume({...settings, preset: 'owt'}).preset, 'owt');
	t.is(resume({...settings, preset: undefined}).preset, undefined, 'a run from before there were presets');
	t.throws(() => resume(settings, '--preset', 'owt'), {message: /--preset is "owt", but the run .* without it/});
});

test('recipes are options of create() and train(), and the paper’s is what is left out', async (t) => {
	await using model = await AlexNet.create({classes: 2, ...recipes.small.create});
	t.is(model.batchSize, recipes.small.create.batchSize);
	t.is(model.sgd.learningRate, recipes.small.create.learningRate);
	t.deepEqual(model.architecture, alexnet({classes: 2, init: recipes.small.create.init}));
	t.notDeepEqual(model.architecture, alexnet({classes: 2}));
	await using plain = new Model({architecture: tinyNet(), labels: tinyLabels});
	t.is(plain.batchSize, recipes.paper.create.batchSize);
	t.is(plain.sgd.learningRate, recipes.paper.create.learningRate);
	t.deepEqual(alexnet({classes: 2}), alexnet({classes: 2, init: recipes.paper.create.init}));
});

test('that training diverges is said once, with the larger loss', (t) => {
	const output = new Notes();
	const note = new DivergenceNote(output, {classes: 9});
	const numbers = {epoch: 2, step: 40, learningRate: 0.05, loss: 71, top1: 0, top5: 0, imagesPerSecond: 1};
	const step: StepReport = {type: 'step', ...numbers, stepOfEpoch: 1, stepsPerEpoch: 2, diverged: false};
	note.tell(step);
	t.deepEqual(output.lines, []);
	const validation = {pictures: 1, loss: 812.5, top1: 0, top5: 0, largestShare: 1};
	const epoch: EpochReport = {type: 'epoch', ...numbers, diverged: true, best: false, validation};
	note.tell(epoch);
	note.tell({...step, diverged: true});
	t.is(output.lines.length, 1);
	t.regex(
		output.lines[0]!,
		/^warning: the loss is 812\.500 at step 40, .* has 2\.197\. .* lower learning rate than 0\.05/,
	);
});
