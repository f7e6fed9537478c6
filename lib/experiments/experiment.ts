// What an experiment is: a list of runs that differ in one thing, and what is measured of them.
import type {ExampleName} from '../data/examples/index.ts';
import type {TrainOptions} from '../training/trainer.ts';
import type {MeasureName} from './measures.ts';
import type {Base, NetChange} from './nets.ts';

/** By which an experiment is called; `listExperiments` tells what each shows. */
export type ExperimentName =
	'relu' | 'lrn' | 'pooling' | 'columns' | 'dropout' | 'augmentation' | 'crops' | 'decoupling' | 'init' | 'schedule';

/** How much is run: minutes on two cores, or as near to the paper as the pictures allow. */
export type ExperimentForm = 'quick' | 'full';

/** How large the runs of a form are. Those of all arms are the same, but for what the arm changes. */
export interface ExperimentSize {
	/** Which net the arms change. */
	readonly net: Base;
	/** Side of the decoded pictures. */
	readonly imageSize: number;
	/** Pictures to train on, at most: of more a part is taken, the same for all runs. Left out, all. */
	readonly trainingPictures?: number | undefined;
	/** Pictures held out, at most. Left out, all. */
	readonly heldOutPictures?: number | undefined;
	/** Passes over the pictures. */
	readonly epochs: number;
	/** Epochs after which the learning rate is divided by 10. */
	readonly divideAt: readonly number[];
	/** Pictures in a step. */
	readonly batchSize: number;
	/** Where the rates are not searched. */
	readonly learningRate: number;
	/** Weight decay, except of biases. */
	readonly weightDecay: number;
	/** Learning rates of which each arm takes the one that is best for it, with a seed that is not measured. */
	readonly rates?: readonly number[] | undefined;
	/** Runs of each arm where nobody says how many. */
	readonly seeds: number;
}

/** One side of a comparison. */
export interface Arm {
	/** Names its folder. */
	readonly name: string;
	/** As tables and sentences name it: 'without LRN'. */
	readonly title: string;
	/** In what its net differs from the size's. */
	readonly net?: NetChange | undefined;
	/** In what its training differs. */
	readonly train?: Pick<TrainOptions, 'augment' | 'divideAt'> | undefined;
	/** PCA colour, where pictures are augmented. Default true. */
	readonly colour?: boolean | undefined;
	/** The arm whose runs it measures in another way, having none of its own. */
	readonly runsOf?: string | undefined;
	/** Where it is not the experiment's. */
	readonly measure?: MeasureName | undefined;
	/** What the paper says of it against the first arm; left out where it says nothing. */
	readonly paper?: string | undefined;
}

/** One of the paper's claims, and the runs that put it to the test. */
export interface Experiment {
	/** By which `runExperiment` and the command line call it. */
	readonly name: ExperimentName;
	/** What it shows, in a sentence. */
	readonly shows: string;
	/** Where the paper says it. */
	readonly section: string;
	/** The example pictures that it takes where no folder is given. */
	readonly pictures: ExampleName;
	/** What is compared. */
	readonly measure: MeasureName;
	/** Whether the paper's choice should come out lower or higher. */
	readonly expected: 'lower' | 'higher';
	/** The first one is the paper's choice, with which the others are compared. */
	readonly arms: readonly Arm[];
	readonly quick: ExperimentSize;
	readonly full: ExperimentSize;
}
