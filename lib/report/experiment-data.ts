// What an experiment's page shows, as plain data: the page's scripts read it as JSON.
import type {Facts} from './report-data.ts';

/** A line of the experiment's chart: the mean over the seeds. */
export interface ExperimentLine {
	/** The arm, and what of it. */
	readonly label: string;
	/** Which arm, from 0: lines of one arm have one colour. */
	readonly arm: number;
	/** Whether it is the first of its arm. */
	readonly isFirst: boolean;
	readonly x: readonly number[];
	/** NaN where there is none. */
	readonly y: readonly number[];
}

export interface ExperimentData {
	readonly name: string;
	/** What it shows, and what the numbers say. */
	readonly shows: string;
	readonly section: string;
	readonly sentence: string;
	readonly criterion: string;
	readonly notes: readonly string[];
	readonly measure: string;
	/** A row an arm, in words: title, mean, spread, what the paper says, and the values. */
	readonly rows: readonly (readonly string[])[];
	readonly header: readonly string[];
	readonly chart: {
		readonly title: string;
		/** What runs from left to right. */
		readonly scale: 'epoch' | 'step';
		readonly lines: readonly ExperimentLine[];
	};
	/** Settings, pictures, versions. */
	readonly facts: Facts;
	/** Of the package that made the page. */
	readonly version: string;
	/** ISO 8601. */
	readonly madeAt: string;
}
