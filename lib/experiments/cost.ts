// What an experiment costs, before it is begun.
import type {Experiment, ExperimentForm, ExperimentName} from './experiment.ts';
import type {Base} from './nets.ts';
import {plannedRuns} from './plan.ts';

/** What an experiment costs on its example pictures. */
export interface ExperimentCost {
	/** Training runs, those that search for a learning rate included. */
	readonly runs: number;
	/** Pictures that are learned from in all runs together, each as often as it is. */
	readonly pictures: number;
	/** Estimated, on two cores; training alone. */
	readonly seconds: number;
}

/** An experiment, as `alexnet experiment list` tells it. */
export interface ExperimentDescription {
	/** By which `runExperiment` and the command line call it. */
	readonly name: ExperimentName;
	/** What it shows, in a sentence. */
	readonly shows: string;
	/** Where the paper says it. */
	readonly section: string;
	/** What the arms are called, the paper's choice first. */
	readonly arms: readonly string[];
	/** The example pictures that it is meant for. */
	readonly pictures: 'emoji' | 'fashion-mnist' | 'photographs';
	/** Of each form, with the seeds that it has where nobody says how many. */
	readonly cost: Readonly<Record<ExperimentForm, ExperimentCost>>;
}

/** Pictures to train on in each example set, where a form takes all. */
const examples: Readonly<Record<Experiment['pictures'], number>> = {
	emoji: 3164,
	'fashion-mnist': 60_000,
	photographs: 765,
};

/**
 * Pictures a second in training, in fp32. The paper's net on two cores of an AMD EPYC with AVX-512 (`alexnet bench
 * train-step --device cpu --precision fp32 --batch-size 128`); the others as runs of the experiments showed them with one
 * thread on the same machine while it had other work (`--threads 1`), so that two free cores take less time.
 */
const picturesPerSecond: Readonly<Record<Base, number>> = {paper: 72.6, small: 800, fourLayers: 450};

export function costOf({arms, pictures, ...experiment}: Experiment, form: ExperimentForm): ExperimentCost {
	const size = experiment[form];
	const runs = plannedRuns({arms}, size, size.seeds).length;
	const each = Math.min(size.trainingPictures ?? Infinity, examples[pictures]) * size.epochs;
	return {runs, pictures: runs * each, seconds: (runs * each) / picturesPerSecond[size.net]};
}
