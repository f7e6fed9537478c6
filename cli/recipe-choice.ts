// Which recipe `train` takes, and what it sets where the command line does not.
import type {Command} from 'commander';
import {oneOf, option} from '../lib/base/check.ts';
import {recipeFor, recipes, type Preset, type RateScalingOptions, type Recipe, type RecipeName} from '../lib/index.ts';
import {initOf} from '../lib/net/alexnet.ts';
import {fewPictures} from '../lib/net/recipes.ts';
import {fineTuneOptions} from '../lib/training/fine-tuning.ts';
import {count} from './format.ts';
import type {NetChoice} from './net-choice.ts';
import type {Output} from './output.ts';

/** What a recipe decides, by the names of train's options. */
type RecipeSettings = Recipe['create'] & Recipe['train'];

export type RecipeOptions = RecipeSettings &
	Pick<NetChoice, 'architecture' | 'from'> & {
		readonly recipe?: RecipeName;
		readonly preset?: Preset | undefined;
	} & Pick<RateScalingOptions, 'learningRateScaling' | 'referenceBatchSize'>;

const settingsOf = (name: RecipeName): RecipeSettings => ({...recipes[name].create, ...recipes[name].train});

const least = fewPictures.toLocaleString('en-US');

export const recipeCheck = option(
	oneOf(Object.keys(recipes)),
	`defaults that go together; left out, small below ${least} training pictures, else paper`,
);

/** Help says what either recipe makes of the options that it decides. */
export function describeDefaults({options}: Command): void {
	const [small, paper] = [settingsOf('small'), settingsOf('paper')];
	for (const name of Object.keys(small) as (keyof RecipeSettings)[]) {
		const decided = options.find((each) => each.attributeName() === name);
		const words = `small ${small[name]}, paper ${paper[name] ?? "the preset's"}`;
		decided?.default(paper[name], words);
		// Help leaves out a default that is undefined.
		if (decided && paper[name] === undefined) decided.description += ` (default: ${words})`;
	}
}

/**
 * The options of a new run: what the command line leaves out is the recipe's. Says which recipe it is and why.
 *
 * A recipe's batch is at most half of the pictures: then an epoch has two steps, and a picture that cannot be read does
 * not leave the only batch unfilled.
 */
export function withRecipe<T extends RecipeOptions>(command: Command, given: T, pictures: number, output: Output): T {
	const recipe = given.recipe ?? recipeFor(pictures);
	const defaults = settingsOf(recipe);
	const largest = Math.max(1, Math.floor(pictures / 2));
	const {from, architecture, learningRateScaling = 'none'} = given;
	const settings = {
		...defaults,
		...(learningRateScaling !== 'none' && {referenceBatchSize: defaults.batchSize}),
		batchSize: Math.min(defaults.batchSize, largest),
		...(from !== undefined && {learningRate: fineTuneOptions.checks.learningRate.default}),
	};
	const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
	const ofRecipe = Object.fromEntries(Object.entries(settings).filter(([name]) => !isGiven(name)));
	const options = {...given, ...ofRecipe, recipe};
	const halved = !isGiven('batchSize') && settings.batchSize < defaults.batchSize;
	const chosen = isGiven('recipe') ? 'as asked for' : `as there are ${count(pictures, 'training picture')}`;
	output.note(
		`Recipe '${recipe}', ${chosen}: ${count(options.epochs, 'epoch')} in batches of ${options.batchSize}` +
			`${halved ? ' (half of the pictures)' : ''}, learning rate ${options.learningRate}, ` +
			`${(from ?? architecture) ? '' : `init '${initOf(options)}', `}patience ${options.patience}.`,
	);
	return options;
}
