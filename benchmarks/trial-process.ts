// A process of its own for one trial, so that memory and caches are as fresh as the first trial's. Started by run.ts.
import {deviceInfo, openDevice} from '../lib/device/device.ts';
import type {NativeDevice} from '../lib/device/native-device.ts';
import {isAlexNetError, messageOf, type ErrorCode} from '../lib/base/errors.ts';
import type {Precision} from '../lib/net/options.ts';
import {measureMachine, type Machine} from './machine.ts';
import {runExchange} from './exchanges.ts';
import {runModel} from './run-model.ts';
import {runOperation, type Samples} from './run-operation.ts';
import {exchangeTrial, isExchange, isModelTrial, operationTrial} from './trials.ts';

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
	| {kind: 'samples'; samples: Samples}
	| {kind: 'machine'; machine: Machine}
	| {kind: 'error'; message: string; code?: ErrorCode};

async function answer(job: TrialJob): Promise<TrialAnswer> {
	const {trial, devices, threads, precision, batchSize, repetitions} = job;
	const pciAddress = deviceInfo(devices[0] ?? 'cpu')?.pciAddress;
	if (isModelTrial(trial)) return {kind: 'samples', samples: await runModel(trial, job, pciAddress)};
	const opened: NativeDevice[] = [];
	try {
		for (const id of devices) opened.push(openDevice(id, {threads}));
		const [first, second] = opened as [NativeDevice, NativeDevice?];
		if (trial === 'machine') return {kind: 'machine', machine: await measureMachine(first, precision)};
		if (second && isExchange(trial)) {
			const exchange = exchangeTrial(trial, batchSize, precision);
			const milliseconds = await runExchange([first, second], exchange, {repetitions});
			return {kind: 'samples', samples: {milliseconds}};
		}
		const operation = operationTrial(trial, batchSize, precision);
		return {kind: 'samples', samples: await runOperation(first, operation, {repetitions, pciAddress})};
	} finally {
		for (const device of opened) device.close();
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
