// A run folder as a report shows it.
import {basename, join, resolve} from 'node:path';
import {AlexNetError} from '../base/errors.ts';
import {reasonOf} from '../base/files.ts';
import {reportsIn, type RecordedReport} from '../run/metrics.ts';
import {readKernelHistory} from '../run/kernel-history.ts';
import {readPredictions} from '../run/predictions.ts';
import {runFiles} from '../run/run-files.ts';
import {RunFolder} from '../run/run-folder.ts';
import type {EpochReport, StepReport} from '../training/trainer.ts';
import {configFacts} from './config-facts.ts';
import type {EpochRow, RunData, StepRow} from './report-data.ts';
import {StepSeries} from './step-series.ts';

/** What is read anew after each epoch, and what grows with every report. */
export class RunReader {
	readonly path: string;
	readonly #steps = new StepSeries();
	readonly #epochs: EpochRow[] = [];

	constructor(path: string) {
		this.path = path;
	}

	/**
	 * With the reports that there are.
	 *
	 * @throws ALEXNET_RUN where they cannot be read, as of a file.
	 */
	static async open(path: string): Promise<RunReader> {
		const reader = new RunReader(path);
		try {
			for await (const report of reportsIn(join(path, runFiles.metrics))) reader.add(report);
		} catch (error) {
			const message = `The run in '${path}' cannot be read: ${reasonOf(error)}. Name the folder of a run.`;
			throw new AlexNetError('ALEXNET_RUN', message, {cause: error});
		}
		return reader;
	}

	add(report: RecordedReport): void {
		if (report.type === 'step') this.#steps.add(stepRow(report));
		else this.#epochs.push(epochRow(report));
	}

	/** @throws ALEXNET_RUN where the folder holds no run. */
	async read(): Promise<RunData> {
		const {config} = await RunFolder.read(this.path);
		const kernels = await readKernelHistory(join(this.path, runFiles.kernels));
		const predictions = await readPredictions(join(this.path, runFiles.predictions));
		return {
			...{name: basename(resolve(this.path)), config: configFacts(config)},
			...{steps: this.#steps.columns, epochs: this.#epochs, kernels, predictions},
		};
	}
}

/** What there is of a line that somebody may have written by hand: NaN where it is no number. */
const numeric = (value: unknown): number => (typeof value === 'number' ? value : NaN);

export function stepRow(report: StepReport & {elapsedSeconds: number}): StepRow {
	const {step, epoch, stepOfEpoch, stepsPerEpoch} = report;
	return {
		step: numeric(step),
		epoch: numeric(epoch) - 1 + numeric(stepOfEpoch) / numeric(stepsPerEpoch),
		seconds: numeric(report.elapsedSeconds),
		loss: numeric(report.loss),
		top1: numeric(report.top1),
		learningRate: numeric(report.learningRate),
		imagesPerSecond: numeric(report.imagesPerSecond),
	};
}

function epochRow(report: EpochReport & {elapsedSeconds: number}): EpochRow {
	const {epoch, step, elapsedSeconds, loss, top1, top5, learningRate, imagesPerSecond, best, validation} = report;
	const row = {
		...{epoch: numeric(epoch), step: numeric(step), seconds: numeric(elapsedSeconds), loss: numeric(loss)},
		...{top1: numeric(top1), top5: numeric(top5), learningRate: numeric(learningRate)},
		...{imagesPerSecond: numeric(imagesPerSecond), best},
	};
	if (!validation) return row;
	const {pictures} = validation;
	const measures = {loss: numeric(validation.loss), top1: numeric(validation.top1), top5: numeric(validation.top5)};
	return {...row, validation: {pictures, ...measures}};
}
