// What a report's page shows, as plain data: the page's scripts read it as JSON.
import type {KernelSnapshot} from '../run/kernel-history.ts';
import type {Predictions} from '../run/predictions.ts';

/** Rows of numbers, column by column. */
export interface StepColumns {
	/** Steps of which each row is the mean: 1 but for long runs. */
	readonly every: number;
	/** Updates made, at the last of the row's steps. */
	readonly step: number[];
	/** Epochs made, with a fraction. */
	readonly epoch: number[];
	/** For which the run has been under way. */
	readonly seconds: number[];
	readonly loss: number[];
	/** Shares from 0 to 1. */
	readonly top1: number[];
	readonly learningRate: number[];
	readonly imagesPerSecond: number[];
}

export type StepColumn = Exclude<keyof StepColumns, 'every'>;

/** A row of {@link StepColumns}. */
export type StepRow = Readonly<Record<StepColumn, number>>;

/** As metrics.jsonl has it. */
export interface EpochRow {
	readonly epoch: number;
	readonly step: number;
	readonly seconds: number;
	readonly loss: number;
	readonly top1: number;
	readonly top5: number;
	readonly learningRate: number;
	readonly imagesPerSecond: number;
	readonly best: boolean;
	readonly validation?: {
		readonly pictures: number;
		readonly loss: number;
		readonly top1: number;
		readonly top5: number;
	};
}

/** Name and value. */
export type Fact = readonly [string, string];
export type Facts = readonly Fact[];

export interface RunData {
	/** The folder's name. */
	readonly name: string;
	/** What config.json says, group by group: settings, devices, versions, and what else there is. */
	readonly config: readonly {readonly title: string; readonly facts: Facts}[];
	readonly steps: StepColumns;
	readonly epochs: readonly EpochRow[];
	readonly kernels: readonly KernelSnapshot[];
	/** Undefined where nothing was held out. */
	readonly predictions?: Predictions | undefined;
}

export interface ReportData {
	/** Of the package that made the report. */
	readonly version: string;
	/** ISO 8601. */
	readonly madeAt: string;
	readonly runs: readonly RunData[];
	/** While the run is under way and the page is served: where its events come from, and how it is stopped. */
	readonly live?: {readonly token: string} | undefined;
}
