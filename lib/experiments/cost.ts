// What an experiment costs, before it is begun.
import type {ExampleName} from '../data/examples/index.ts';
import type {Experiment, ExperimentForm, ExperimentName} from './experiment.ts';
import type {Base} from './nets.ts';
import {plannedRuns} from './plan.ts';

/** What an experiment costs on its example pictures. */
export interface ExperimentCost {
	/** Training runs, those that search for a learning rate included. */
	readonly runs: number;
	/** Pictures that are learned from in all runs together, each as often as it is. */
	readonly pictures: number;
	/** Estimated: of the quick form on one core, of the full one on two; `relu` has the same net in both, on one. */
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
	readonly pictures: ExampleName;
	/** Of each form, with the seeds that it has where nobody says how many. */
	readonly cost: Readonly<Record<ExperimentForm, ExperimentCost>>;
}

/** Pictures to train on in each example set, where a form takes all. */
const examples: Readonly<Record<ExampleName, number>> = {
	emoji: 3164,
	'fashion-mnist': 60_000,
	photographs: 2500,
};

/**
 * Pictures a second in training, in fp32 on an AMD EPYC with AVX-512. The paper's net on two cores, by `alexnet bench
 * train-step --device cpu --precision fp32 --batch-size 128`; the others by the CPU time of whole experiments with one
 * thread, held-out pictures included: `relu --quick --threads 1` learned from 336,000 pictures in 380 s, `schedule --quick
 * --threads 1` from 120,000 in 217 s.
 */
const picturesPerSecond: Readonly<Record<Base, number>> = {paper: 72.6, small: 550, fourLayers: 880};

export function costOf({arms, pictures, ...experiment}: Experiment, form: ExperimentForm): ExperimentCost {
	const size = experiment[form];
	const runs = plannedRuns({arms}, size, size.seeds).length;
	const each = Math.min(size.trainingPictures ?? Infinity, examples[pictures]) * size.epochs;
	return {runs, pictures: runs * each, seconds: (runs * each) / picturesPerSecond[size.net]};
}
