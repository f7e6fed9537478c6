// Rows of what was measured: against the least time possible, and against the model.
import {deviceInfo} from '../lib/device/device.ts';
import type {Precision} from '../lib/net/options.ts';
import type {Clocks} from './clocks.ts';
import {boundOf, ratesOf, type Bound} from './bounds.ts';
import {gpuOfBoard} from './gpus.ts';
import {readFacts} from './kernel-facts.ts';
import type {Machine} from './machine.ts';
import {modelOfTrial} from './modelled.ts';
import type {Samples} from './run-operation.ts';
import {quartiles} from './timing.ts';
import {batchOf, costOf, isExchange, isModelTrial, type Cost} from './trials.ts';

/** A trial's result. */
export interface BenchmarkRow extends Partial<Bound> {
	trial: string;
	/** Two with a comma between, where each holds a column. */
	device: string;
	precision: Precision;
	batchSize: number;
	repetitions: number;
	/** From the call to the result by the wall clock, or of the device alone: a GPU's by events, a CPU's in its queue. */
	timedBy: 'wall clock' | 'events' | 'queue';
	medianMs: number;
	/** Between the quartiles: half of the samples lie in it. */
	spreadMs: number;
	/** Pictures of the batch, by the median. */
	imagesPerSecond: number;
	/**
	 * Where the bound is from: a GPU's data sheet, or 'measured' on a CPU. Without one where a GPU's data sheet is not
	 * known, and of copies between GPUs.
	 */
	boundFrom?: string;
	/** What it does in the median, in units of 10^9 a second. */
	gigabytesPerSecond: number;
	gigaflops: number;
	/** What the device's own copies and products reached in the same run, see machine.ts. */
	bandwidthGigabytesPerSecond: number;
	peakGigaflops: number;
	/** Of a GPU's kernels, as model.ts predicts; of the net, its operations' sum. */
	modelledMs?: number;
	/** medianMs / modelledMs */
	timesModelled?: number;
	/** Of a GPU, while the trial ran. */
	clocks?: Clocks;
}

export interface Measured {
	readonly trial: string;
	readonly devices: readonly string[];
	readonly precision: Precision;
	/** As asked for. */
	readonly batchSize: number;
	readonly samples: Samples;
}

export function rowOf(measured: Measured, machine: Machine): BenchmarkRow {
	const {trial, devices, precision, samples} = measured;
	const {lower, median, upper} = quartiles(samples.milliseconds);
	const batchSize = batchOf(trial, measured.batchSize);
	const cost = costOf(trial, measured.batchSize, precision);
	const isGpu = devices[0]?.startsWith('cuda') ?? false;
	const bound = isGpu ? gpuBound(measured, cost, median) : {...boundOf(cost, machine, median), boundFrom: 'measured'};
	const modelledMs = isGpu ? modelledTime(measured) : undefined;
	return {
		...{trial, device: devices.join(), precision, batchSize, repetitions: samples.milliseconds.length},
		timedBy: isModelTrial(trial) ? 'wall clock' : isGpu ? 'events' : 'queue',
		medianMs: median,
		spreadMs: upper - lower,
		imagesPerSecond: (batchSize * 1000) / median,
		...bound,
		gigabytesPerSecond: cost.bytes / median / 1e6,
		gigaflops: cost.operations / median / 1e6,
		bandwidthGigabytesPerSecond: machine.bandwidth / 1e9,
		peakGigaflops: machine.peak / 1e9,
		...(modelledMs !== undefined && {modelledMs, timesModelled: median / modelledMs}),
		...(samples.clocks && {clocks: samples.clocks}),
	};
}

function gpuBound(
	{trial, devices, precision}: Measured,
	cost: Cost,
	milliseconds: number,
): (Bound & {boundFrom: string}) | undefined {
	// Each GPU counts once, also where both columns are on one.
	const boards = [...new Set(devices)].map((id) => gpuOfBoard(deviceInfo(id)?.name ?? ''));
	const known = boards.filter((gpu) => gpu !== undefined);
	// The data sheet does not tell what lies between two GPUs.
	if (known.length < boards.length || isExchange(trial)) return undefined;
	const rates = known.map((gpu) => ratesOf(gpu, precision));
	const sum = {
		bandwidth: rates.reduce((total, {bandwidth}) => total + bandwidth, 0),
		peak: rates.reduce((total, {peak}) => total + peak, 0),
	};
	const boundFrom = [...new Set(known.map(({dataSheet}) => dataSheet.source))].join(', ');
	return {...boundOf(cost, sum, milliseconds), boundFrom};
}

/** On one GPU, where it is in the tables. */
function modelledTime({trial, devices, precision, batchSize}: Measured): number | undefined {
	const gpu = gpuOfBoard(deviceInfo(devices[0] ?? '')?.name ?? '');
	if (!gpu || devices.length > 1) return undefined;
	return modelOfTrial(trial, batchSize, precision, gpu, readFacts())?.milliseconds;
}
