// What is measured of a run that has ended, and the curves that show it over time.
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {drawLast, draws, philox} from '../base/random.ts';
import type {AlexNet} from '../classifier.ts';
import type {PictureSource} from '../data/picture-source.ts';
import {readKernelHistory} from '../run/kernel-history.ts';
import {reportsIn} from '../run/metrics.ts';
import {runFiles} from '../run/run-files.ts';
import type {EpochReport} from '../training/trainer.ts';
import type {Unit} from './findings.ts';
import {mean} from './statistics.ts';

/** A run that has come to its end. */
export interface FinishedRun {
	/** Its folder. */
	readonly path: string;
	readonly epochs: readonly EpochReport[];
	readonly batchSize: number;
	readonly seed: number;
	readonly train: PictureSource;
	readonly validation: PictureSource;
	/** With the weights of its last step. */
	readonly model: AlexNet;
	readonly signal?: AbortSignal | undefined;
}

/** Something over epochs or steps. */
export interface Curve {
	/** Of several lines of an arm, what this one shows. */
	readonly what: string;
	readonly x: readonly number[];
	readonly y: readonly number[];
}

export interface Measure {
	/** As sentences begin. */
	readonly title: string;
	readonly unit: Unit;
	/** What is said of a run without a number. */
	readonly missing: string;
	/** Over what its curves run, and what they are. */
	readonly over: 'epochs' | 'steps';
	readonly curveTitle: string;
	/** Undefined where there is no number. */
	of(run: FinishedRun): Promise<number | undefined>;
	/** @param batchSize pictures in a step */
	curves(path: string, batchSize: number): Promise<readonly Curve[]>;
}

export type MeasureName =
	'error' | 'errorOfTen' | 'gap' | 'steps' | 'firstEpoch' | 'columnDifference' | 'dealtDifference';

/** Figure 1's. */
const errorToReach = 0.25;
/** Pictures over which the error of a step is a mean. */
const smoothedOver = 512;

const lastError = ({epochs}: Pick<FinishedRun, 'epochs'>): number | undefined => {
	const top1 = epochs.at(-1)?.validation?.top1;
	return top1 === undefined ? undefined : 1 - top1;
};

async function epochCurves(path: string, names: readonly ('held out' | 'training')[]): Promise<Curve[]> {
	const epochs: EpochReport[] = [];
	for await (const report of reportsIn(join(path, runFiles.metrics))) if (report.type === 'epoch') epochs.push(report);
	const x = epochs.map(({epoch}) => epoch);
	return names.map((what) => {
		const top1 = epochs.map((report) => (what === 'training' ? report.top1 : (report.validation?.top1 ?? NaN)));
		return {what, x, y: top1.map((value) => 1 - value)};
	});
}

/** Training error step by step, each the mean over the steps of the last {@link smoothedOver} pictures. */
async function smoothedError(path: string, batchSize: number): Promise<Curve> {
	const window = Math.max(1, Math.round(smoothedOver / batchSize));
	const errors: number[] = [];
	for await (const report of reportsIn(join(path, runFiles.metrics)))
		if (report.type === 'step') errors.push(1 - report.top1);
	const y = errors.slice(window - 1).map((_, at) => mean(errors.slice(at, at + window)));
	return {what: 'training', x: y.map((_, at) => at + window), y};
}

/** The mean colour energies of the columns, snapshot by snapshot. */
async function differenceCurve(path: string): Promise<Curve> {
	const history = await readKernelHistory(join(path, runFiles.kernels));
	const energies = history.map(({epoch, columns}) => ({
		epoch,
		of: columns.map(({colourEnergy = NaN}) => colourEnergy),
	}));
	return {
		what: 'difference',
		x: energies.map(({epoch}) => epoch),
		y: energies.map(({of: [one = NaN, two = NaN]}) => Math.abs(one - two)),
	};
}

async function lastEnergies(path: string): Promise<number[]> {
	const last = (await readKernelHistory(join(path, runFiles.kernels))).at(-1);
	return (last?.kernels?.measures ?? []).flatMap(({colourEnergy}) => colourEnergy ?? []);
}

/** Times that a net's kernels are dealt out. */
const deals = 1000;

/** The mean difference of two halves into which values are dealt at random. */
export async function dealtDifference(values: readonly number[], seed: number): Promise<number> {
	const half = Math.floor(values.length / 2);
	const differences: number[] = [];
	for (let deal = 0; deal < deals; ++deal) {
		const dealt = [...values];
		for (let last = dealt.length - 1; last > 0; --last) {
			drawLast(dealt, last, philox(seed, [last, deal, 1, draws.shuffle])[0]);
		}
		differences.push(Math.abs(mean(dealt.slice(0, half)) - mean(dealt.slice(half))));
		// Others have their turns between.
		if (deal % 20 === 0) await setImmediate();
	}
	return mean(differences);
}

const ofError: Omit<Measure, 'title' | 'of'> = {
	...{unit: 'share', missing: 'diverged', over: 'epochs', curveTitle: 'Held-out error, 1 view'},
	curves: async (path: string) => epochCurves(path, ['held out']),
};

const ofKernels: Omit<Measure, 'title' | 'of'> = {
	...{unit: 'share', missing: 'diverged', over: 'epochs'},
	curveTitle: 'Difference of the columns’ colour energies in conv1',
	curves: async (path: string) => [await differenceCurve(path)],
};

export const measures: Readonly<Record<MeasureName, Measure>> = {
	error: {...ofError, title: 'held-out error after the last epoch', of: async (run) => Promise.resolve(lastError(run))},
	errorOfTen: {
		...{...ofError, title: 'held-out error after the last epoch, mean of 10 views'},
		of: async ({model, validation, signal}) => 1 - (await model.evaluate(validation, {crops: 10, signal})).top1,
	},
	gap: {
		...{title: 'held-out error less the error on the training pictures, both without dropout, after the last epoch'},
		...{unit: 'share', missing: 'diverged', over: 'epochs'},
		curveTitle: 'Errors; in training with random views, and units dropped where there is dropout',
		of: async ({model, train, epochs, signal}) => {
			const heldOut = lastError({epochs});
			return heldOut === undefined ? undefined : heldOut - (1 - (await model.evaluate(train, {signal})).top1);
		},
		curves: async (path) => epochCurves(path, ['held out', 'training']),
	},
	steps: {
		...{
			title: `steps to ${100 * errorToReach} % training error`,
			unit: 'steps',
			missing: 'did not reach it',
			over: 'steps',
		},
		curveTitle: `Training error, mean over the last ${smoothedOver} pictures`,
		of: async ({path, batchSize}) => {
			const {x, y} = await smoothedError(path, batchSize);
			return x[y.findIndex((error) => error <= errorToReach)];
		},
		curves: async (path, batchSize) => [await smoothedError(path, batchSize)],
	},
	firstEpoch: {
		...{title: 'training error in the first epoch', unit: 'share', missing: 'diverged', over: 'epochs'},
		...{curveTitle: 'Training error', curves: async (path) => epochCurves(path, ['training'])},
		of: async ({epochs}) => Promise.resolve(epochs[0] && 1 - epochs[0].top1),
	},
	columnDifference: {
		...{...ofKernels, title: 'difference of the columns’ mean colour energies in conv1 after the last epoch'},
		of: async ({path}) => (await differenceCurve(path)).y.at(-1),
	},
	dealtDifference: {
		...{...ofKernels, title: `the same of kernels dealt out at random, mean of ${deals} deals`},
		of: async ({path, seed}) => dealtDifference(await lastEnergies(path), seed),
	},
};
