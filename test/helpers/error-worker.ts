// A worker thread that says how it sees the addon's errors.
import {parentPort, workerData} from 'node:worker_threads';
import {AlexNetError, DisposedError} from '../../lib/base/errors.ts';
import {errorsOf} from './addon-errors.ts';

const errors = await errorsOf((workerData as {device: string}).device);
parentPort!.postMessage(
	errors.map((error) => [
		error instanceof AlexNetError && error.code,
		error instanceof DisposedError,
		error instanceof Error && error.name,
	]),
);
