// What lies in a run folder.
import {oneOf, recordOf, unknown} from '../base/check.ts';

/** Names of the files in a run folder. */
export const runFiles = {
	/** What the run was started with. */
	config: 'config.json',
	/** One JSON report a line. */
	metrics: 'metrics.jsonl',
	/** The net as it was saved last: what a run is resumed from. */
	last: 'last.safetensors',
	/** The net after the epoch with the lowest validation error. */
	best: 'best.safetensors',
	/** conv1's kernels. */
	filters: 'filters.png',
	/** conv1's kernels over time, and their measures. */
	kernels: 'kernels.json',
	/** What the net told of the held-out pictures after the last epoch. */
	predictions: 'predictions.json',
	/** All of this to look at in a browser: `alexnet train` writes it, `writeReport` and `alexnet report` anew. */
	report: 'report.html',
} as const;

/** What one of them is for, by which `RunFolder.file` tells its path. */
export type RunFile = keyof typeof runFiles;

export const runFile = oneOf(Object.keys(runFiles) as RunFile[]);

/** What the run was started with, as plain data (JSON). */
export type RunConfig = Readonly<Record<string, unknown>>;

export const runConfig = recordOf(unknown);
