// The experiments. Each compares the paper's choice, its first arm, with others that differ from it in one thing.
import {costOf, type ExperimentDescription} from './cost.ts';
import type {Experiment, ExperimentName, ExperimentSize} from './experiment.ts';

/** Minutes on two cores: a net after the paper's pattern, whose crops are to the pictures as 224 to 256. */
const quick: ExperimentSize = {
	...{net: 'small', imageSize: 32, trainingPictures: 4000, heldOutPictures: 2000},
	...{epochs: 6, divideAt: [5], batchSize: 32, learningRate: 0.01, weightDecay: 0.0005, seeds: 3},
};

/** The paper's net on all pictures, with the recipe for few. */
const full: ExperimentSize = {
	...{net: 'paper', imageSize: 256},
	...{epochs: 30, divideAt: [22, 27], batchSize: 32, learningRate: 0.005, weightDecay: 0.0005, seeds: 5},
};

/** Figure 1's: no regularization of any kind, and a rate for each. */
const figure1: ExperimentSize = {
	...{net: 'fourLayers', imageSize: 32, trainingPictures: 4000, heldOutPictures: 500},
	...{epochs: 6, divideAt: [], batchSize: 32, learningRate: 0.01, weightDecay: 0, seeds: 3},
	rates: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
};

const common = {measure: 'error', expected: 'lower', pictures: 'fashion-mnist', quick, full} as const;

const all: readonly Experiment[] = [
	{
		...common,
		name: 'relu',
		shows:
			'How many steps a net of four layers needs to 25 % training error with ReLU, tanh and sigmoid, each at its best rate.',
		section: '3.1, figure 1',
		measure: 'steps',
		arms: [
			{name: 'relu', title: 'ReLU', net: {activation: 'relu'}, train: {augment: 'none'}},
			{
				...{name: 'tanh', title: 'tanh', net: {activation: 'tanh'}, train: {augment: 'none'}},
				paper: 'six times as many steps on CIFAR-10',
			},
			{name: 'sigmoid', title: 'sigmoid', net: {activation: 'sigmoid'}, train: {augment: 'none'}},
		],
		quick: figure1,
		full: {
			...figure1,
			trainingPictures: undefined,
			epochs: 10,
			seeds: 5,
		},
	},
	{
		...common,
		name: 'lrn',
		shows: 'What local response normalization does to the held-out error.',
		section: '3.3',
		arms: [
			{name: 'lrn', title: 'with LRN'},
			{name: 'without', title: 'without LRN', net: {lrn: false}, paper: '1.4 points higher (top-1)'},
		],
	},
	{
		...common,
		name: 'pooling',
		shows:
			'What windows that overlap do to the held-out error: 3 x 3 pixels every 2, or 2 x 2 every 2, in maps of the same size.',
		section: '3.4',
		arms: [
			{name: 'overlapping', title: 'pooling 3/2'},
			{name: 'apart', title: 'pooling 2/2', net: {pooling: '2/2'}, paper: '0.4 points higher (top-1)'},
		],
	},
	{
		...common,
		name: 'columns',
		shows: 'What two columns do to the held-out error, and whether it is the columns or the number of kernels.',
		section: '3.2',
		arms: [
			{name: 'two', title: 'two columns'},
			{
				...{name: 'half', title: 'one column of half the size', net: {columns: 'half'}},
				paper: '1.7 points higher (top-1)',
			},
			{name: 'whole', title: 'one column with as many parameters', net: {columns: 'whole'}},
			{name: 'both', title: 'two columns that read both everywhere', net: {columns: 'both'}},
		],
	},
	{
		...common,
		name: 'dropout',
		shows:
			'How far apart the errors on held-out and on training pictures are with dropout and without, in nets that see few pictures as they are.',
		section: '4.2',
		measure: 'gap',
		arms: [
			{name: 'dropout', title: 'dropout .5', train: {augment: 'none'}},
			{
				...{name: 'without', title: 'without dropout', net: {dropout: 0}, train: {augment: 'none'}},
				paper: '"substantial overfitting", without a number',
			},
		],
		// Overfitting takes few pictures and many passes.
		quick: {...quick, trainingPictures: 1000, epochs: 30, divideAt: [25]},
	},
	{
		...common,
		name: 'augmentation',
		shows: 'What crops and mirror images, and PCA colour on top of them, do to the held-out error.',
		section: '4.1',
		pictures: 'emoji',
		arms: [
			{name: 'all', title: 'crops, mirror images and PCA colour'},
			{name: 'views', title: 'crops and mirror images', colour: false, paper: 'over 1 point higher (top-1)'},
			{
				...{name: 'none', title: 'no augmentation', train: {augment: 'none'}},
				paper: '"substantial overfitting", without a number',
			},
		],
		quick: {...quick, epochs: 12, divideAt: [10]},
	},
	{
		...common,
		name: 'crops',
		shows: 'What averaging ten views of a picture does to the held-out error of one trained net.',
		section: '4.1, 5',
		arms: [
			{name: 'ten', title: '10 views', measure: 'errorOfTen'},
			{name: 'one', title: '1 view', runsOf: 'ten', paper: '1.5 points higher (39.0 % against 37.5 %)'},
		],
	},
	{
		...common,
		name: 'decoupling',
		shows:
			'Whether one column comes to see colour and the other not: how far apart the colour energies of their kernels in conv1 are.',
		section: '6.1, figure 3',
		pictures: 'emoji',
		measure: 'columnDifference',
		expected: 'higher',
		arms: [
			{name: 'columns', title: 'two columns'},
			{
				...{
					name: 'dealt',
					title: 'the same kernels dealt out at random',
					runsOf: 'columns',
					measure: 'dealtDifference',
				},
				paper: 'columns specialize in every run, without a number',
			},
			{name: 'both', title: 'two columns that read both everywhere', net: {columns: 'both'}},
		],
		quick: {...quick, epochs: 12, divideAt: [10]},
	},
	{
		...common,
		name: 'init',
		shows: 'What biases of 1, and the widths of the weights, do to the first epoch: the training error in it.',
		section: '5',
		measure: 'firstEpoch',
		arms: [
			// Weights with which small nets learn, too: with the paper's these stay at chance, whatever the biases.
			{name: 'ones', title: 'biases of 1 (weights as in he)', net: {init: 'he', biases: 'paper'}},
			{
				...{name: 'zeros', title: 'biases of 0 (weights as in he)', net: {init: 'he'}},
				paper: 'slower at first, without a number',
			},
			{name: 'paper', title: "the paper's weights and biases", net: {init: 'paper'}},
			{name: 'source2012', title: "the released code's", net: {init: 'source2012'}},
		],
		quick: {...quick, epochs: 3, divideAt: []},
		full: {...full, epochs: 10, divideAt: []},
	},
	{
		...common,
		name: 'schedule',
		shows: 'What dividing the learning rate by 10 towards the end does to the held-out error.',
		section: '5',
		arms: [
			{name: 'divided', title: 'rate divided by 10'},
			{name: 'fixed', title: 'fixed rate', train: {divideAt: []}, paper: 'higher, without a number'},
		],
	},
];

/** All of them, by name. */
export const experiments = Object.fromEntries(all.map((each) => [each.name, each])) as Readonly<
	Record<ExperimentName, Experiment>
>;

/** What experiments there are, what each shows and costs. */
export function listExperiments(): ExperimentDescription[] {
	return all.map((experiment) => {
		const {name, shows, section, arms, pictures} = experiment;
		const cost = {quick: costOf(experiment, 'quick'), full: costOf(experiment, 'full')};
		return {name, shows, section, arms: arms.map(({title}) => title), pictures, cost};
	});
}
