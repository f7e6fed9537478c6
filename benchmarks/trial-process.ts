// A process of its own for one trial, so that memory and caches are as fresh as the first trial's. Started by run.ts.
import {openDevice} from '../lib/device/device.ts';
import {isAlexNetError, messageOf, type ErrorCode} from '../lib/base/errors.ts';
import type {Precision} from '../lib/net/options.ts';
import {measureMachine, type Machine} from './machine.ts';
import {runModel} from './run-model.ts';
import {runOperation} from './run-operation.ts';
import {isModelTrial, operationTrial} from './trials.ts';

export interface TrialJob {
	/** A trial's name, or 'machine' for what the device can do at best. */
	trial: string;
	devices: readonly string[];
	threads?: number | undefined;
	precision: Precision;
	batchSize: number;
	repetitions: number;
}

export type TrialAnswer =
	| {kind: 'samples'; milliseconds: number[]}
	| {kind: 'machine'; machine: Machine}
	| {kind: 'error'; message: string; code?: ErrorCode};

async function answer(job: TrialJob): Promise<TrialAnswer> {
	const {trial, devices, threads, precision, batchSize, repetitions} = job;
	if (isModelTrial(trial)) return {kind: 'samples', milliseconds: await runModel(trial, job)};
	const device = openDevice(devices[0] ?? 'cpu', {threads});
	try {
		if (trial === 'machine') return {kind: 'machine', machine: await measureMachine(device, precision)};
		const operation = operationTrial(trial, batchSize, precision);
		return {kind: 'samples', milliseconds: await runOperation(device, operation, repetitions)};
	} finally {
		device.close();
	}
}

function failure(error: unknown): TrialAnswer {
	return {kind: 'error', message: messageOf(error), ...(isAlexNetError(error) && {code: error.code})};
}

// The answer has arrived, or whoever asked is gone.
process.on('disconnect', () => process.exit(1));
process.on('message', (job) => {
	void answer(job as TrialJob)
		.catch(failure)
		.then((message) => process.send?.(message));
});
