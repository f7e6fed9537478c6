// What an experiment has shown: numbers, and the sentence that follows from them.
import type {Precision} from '../net/options.ts';
import type {Arm, Experiment, ExperimentForm, ExperimentName, ExperimentSize} from './experiment.ts';
import {comparisons, criterion, sentenceOf, type Comparison, type Unit} from './findings.ts';
import {measures} from './measures.ts';
import type {ExperimentPictures} from './pictures.ts';
import {deviation, mean} from './statistics.ts';

/** What was measured of an arm. */
export interface ArmResult {
	/** Names its folder. */
	readonly name: string;
	/** As the sentence names it. */
	readonly title: string;
	/** Seed by seed; null where there is no number. */
	readonly values: readonly (number | null)[];
	/** Of the values that there are; undefined where there is none. */
	readonly mean?: number | undefined;
	/** The sample's standard deviation over the seeds; undefined of fewer than two values. */
	readonly deviation?: number | undefined;
	/** The learning rate that the search found best for it. */
	readonly rate?: number | undefined;
	/** What the paper says of it against the first arm. */
	readonly paper?: string | undefined;
}

/** What `runExperiment` has found. */
export interface ExperimentResult {
	/** Which experiment it is. */
	readonly name: ExperimentName;
	/** How much was run. */
	readonly form: ExperimentForm;
	/** What the experiment shows. */
	readonly shows: string;
	/** Where the paper says it. */
	readonly section: string;
	/** What the values are. */
	readonly measure: string;
	/** Shares from 0 to 1, or steps. */
	readonly unit: Unit;
	/** The first one is the paper's choice. */
	readonly arms: readonly ArmResult[];
	/** Of each other arm with the first. */
	readonly comparisons: readonly Comparison[];
	/** What the numbers say. */
	readonly sentence: string;
	/** How a difference is judged. */
	readonly criterion: string;
	/** What else to know. */
	readonly notes: readonly string[];
	/** How many there were of each part. */
	readonly pictures: {
		/** Trained on. */
		readonly train: number;
		/** Held out. */
		readonly validation: number;
	};
	/** Passes over the pictures. */
	readonly epochs: number;
	/** Of the runs. */
	readonly precision: Precision;
	/** The experiment's folder, in which experiment.html is. */
	readonly folder: string;
}

/** A search for an arm's learning rate. */
export interface ArmRates {
	readonly best: number;
	readonly tried: readonly {
		readonly rate: number;
		readonly value: number | null;
		readonly trainingError: number | null;
	}[];
}

export interface MeasuredArm {
	readonly arm: Arm;
	readonly values: readonly (number | null)[];
	readonly rates: ArmRates | undefined;
}

export function resultOf(
	{name, shows, section, measure: measureName, expected}: Experiment,
	measured: readonly MeasuredArm[],
	run: {form: ExperimentForm; precision: Precision; size: ExperimentSize; pictures: ExperimentPictures; path: string},
): ExperimentResult {
	const {title, unit, missing} = measures[measureName];
	const arms = measured.map(({arm, values, rates}): ArmResult => {
		const numbers = values.flatMap((value) => value ?? []);
		return {
			...{name: arm.name, title: arm.title, values, rate: rates?.best, paper: arm.paper},
			...{mean: numbers.length > 0 ? mean(numbers) : undefined, deviation: deviation(numbers)},
		};
	});
	const findings = {measure: {title, unit, missing}, expected, arms};
	const {train, validation} = run.pictures;
	return {
		...{name, form: run.form, shows, section, measure: title, unit, arms},
		...{comparisons: comparisons(findings), sentence: sentenceOf(findings), criterion},
		notes: measured.flatMap(({arm, rates}) => noteOf(arm, rates) ?? []),
		pictures: {train: train.size, validation: validation.size},
		...{epochs: run.size.epochs, precision: run.precision, folder: run.path},
	};
}

/** A best rate at the end of those that were tried may not be the best that there is. */
function noteOf({title}: Arm, rates: ArmRates | undefined): string | undefined {
	if (!rates) return undefined;
	const all = rates.tried.map(({rate}) => rate);
	const end = rates.best === Math.max(...all) ? 'largest' : rates.best === Math.min(...all) ? 'smallest' : undefined;
	const note = `${title}: of the learning rates ${all.join(', ')}, ${rates.best} was the best with a seed of its own`;
	return end === undefined ? `${note}.` : `${note}, the ${end} that was tried: there may be a better one beyond.`;
}
