// Runs trials, each in a process of its own, and makes rows of what they measure.
import {fork} from 'node:child_process';
import {extname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {DeviceGroup} from '../lib/device/device-group.ts';
import {AlexNetError} from '../lib/base/errors.ts';
import {isSimulated} from '../lib/selftest/facts.ts';
import type {Precision} from '../lib/net/options.ts';
import type {Machine} from './machine.ts';
import {rowOf, type BenchmarkRow} from './rows.ts';
import type {Samples} from './run-operation.ts';
import type {TrialAnswer, TrialJob} from './trial-process.ts';
import {columns, isExchange, isModelTrial, modelTrials} from './trials.ts';

export interface BenchmarkOptions {
	/** Ids: one, or one for each column of the net. */
	devices: readonly string[];
	threads?: number | undefined;
	precision: Precision;
	batchSize: number;
	/** Samples of each trial. Default: as many as suit it. */
	repetitions?: number | undefined;
	signal?: AbortSignal | undefined;
	/** Called with what is about to run, and how many trials are done. */
	onProgress?: ((trial: string, done: number) => void) | undefined;
}

/**
 * The full ids of devices on which trials can be measured.
 *
 * @throws ALEXNET_DEVICE where one is not here or only simulated, ALEXNET_ARGUMENT where a trial takes one device.
 */
export function benchmarkDevices(asked: readonly string[], trials: readonly string[]): readonly string[] {
	const group = new DeviceGroup(asked, columns);
	group.close();
	const {ids} = group;
	const simulated = ids.find(isSimulated);
	if (simulated !== undefined) {
		const message = `${simulated} is simulated, and has no clock. Take a real device, or --simulated H100 for what the model says of one.`;
		throw new AlexNetError('ALEXNET_DEVICE', message);
	}
	const single = trials.find((trial) => !isModelTrial(trial) && !isExchange(trial));
	if (ids.length > 1 && single !== undefined) {
		const several = `${modelTrials.join(', ')} and exchanges`;
		const message = `${single} runs on one device, got ${ids.join(', ')}. On several there are ${several}.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const exchange = trials.find(isExchange);
	if (ids.length === 1 && exchange !== undefined) {
		const both = ids[0]?.startsWith('cpu') ? 'cpu:0,cpu:1' : 'cuda:0,cuda:1';
		const message = `${exchange} runs between two devices, got ${ids[0] ?? ''} alone. Take --device ${both}.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	return ids;
}

/** What trials measured, and what ended them before the last one, if anything did. */
export interface Measured {
	rows: BenchmarkRow[];
	failure?: Error;
}

/**
 * Measures trials one after the other, on {@link benchmarkDevices}. Where one fails or the signal aborts, there are the
 * rows of those before it, and the reason beside them.
 *
 * @throws where no trial has ended: ALEXNET_DEVICE, ALEXNET_MEMORY and what else the device refuses; ALEXNET_OPERATION
 * where a trial's outputs are not what they must be, or its process ends; the signal's reason.
 */
export async function runTrials(trials: readonly string[], options: BenchmarkOptions): Promise<Measured> {
	const {devices, threads, precision, batchSize, onProgress} = options;
	const job = {devices, threads, precision, batchSize, repetitions: 0};
	const before = await measureMachine(job, options, 0);
	const samples = new Map<string, Samples>();
	const rows = (after = before): BenchmarkRow[] => {
		const machine = {
			bandwidth: Math.max(before.bandwidth, after.bandwidth),
			peak: Math.max(before.peak, after.peak),
		};
		return [...samples].map(([trial, taken]) => rowOf({...job, trial, samples: taken}, machine));
	};
	try {
		for (const trial of trials) {
			onProgress?.(trial, samples.size);
			const repetitions = options.repetitions ?? (isModelTrial(trial) ? 10 : 20);
			samples.set(trial, await samplesOf(trial, {...options, repetitions}));
		}
		// Twice, so that one moment in which something else ran does not make every bound too easy.
		return {rows: rows(await measureMachine(job, options, trials.length))};
	} catch (failure) {
		if (samples.size === 0 || !(failure instanceof Error)) throw failure;
		return {rows: rows(), failure};
	}
}

/** What a trial's repetitions take, in a process of its own. */
export async function samplesOf(
	trial: string,
	{devices, threads, precision, batchSize, repetitions, signal}: BenchmarkOptions & {repetitions: number},
): Promise<Samples> {
	const answer = await ask({trial, devices, threads, precision, batchSize, repetitions}, signal);
	if (answer.kind !== 'samples') throw new Error(`Expected samples, got ${answer.kind}.`);
	return answer.samples;
}

type Job = Omit<TrialJob, 'trial'>;

/** Of all devices together. CPU devices share the cores. */
async function measureMachine(job: Job, {signal, onProgress}: BenchmarkOptions, done: number): Promise<Machine> {
	onProgress?.('bandwidth and peak', done);
	const sum = {bandwidth: 0, peak: 0};
	for (const device of new Set(job.devices.map((id) => (id.startsWith('cpu') ? 'cpu' : id)))) {
		const answer = await ask({...job, devices: [device], trial: 'machine'}, signal);
		if (answer.kind !== 'machine') throw new Error(`Expected the machine's figures, got ${answer.kind}.`);
		sum.bandwidth += answer.machine.bandwidth;
		sum.peak += answer.machine.peak;
	}
	return sum;
}

/** Has a process of its own do a job. It runs as this one does: compiled, or through the same TypeScript loader. */
async function ask(job: TrialJob, signal: AbortSignal | undefined): Promise<Exclude<TrialAnswer, {kind: 'error'}>> {
	const self = fileURLToPath(import.meta.url);
	const program = fileURLToPath(new URL(`./trial-process${extname(self)}`, import.meta.url));
	signal?.throwIfAborted();
	// What it prints must not mix with our results.
	const child = fork(program, {stdio: ['ignore', 2, 2, 'ipc']});
	const stop = (): void => void child.kill('SIGKILL');
	signal?.addEventListener('abort', stop);
	try {
		const answer = await new Promise<TrialAnswer>((resolve, reject) => {
			child.on('message', (message) => resolve(message as TrialAnswer));
			child.on('error', reject);
			child.on('exit', (code, by) => reject(ended(job.trial, code, by)));
			child.send(job);
		});
		if (answer.kind !== 'error') return answer;
		throw new AlexNetError(answer.code ?? 'ALEXNET_OPERATION', answer.message);
	} catch (error) {
		signal?.throwIfAborted();
		throw error;
	} finally {
		signal?.removeEventListener('abort', stop);
		if (child.connected) child.disconnect();
	}
}

function ended(trial: string, code: number | null, signal: NodeJS.Signals | null): AlexNetError {
	const how = signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`;
	const advice = signal === 'SIGKILL' ? ' The system may have run out of memory: try a smaller --batch-size.' : '';
	return new AlexNetError('ALEXNET_OPERATION', `The process of trial ${trial} was ended ${how}.${advice}`);
}
