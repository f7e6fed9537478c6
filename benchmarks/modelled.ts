// Rows without a GPU: what the model says of one that is not here.
import {AlexNetError} from '../lib/base/errors.ts';
import type {Precision} from '../lib/net/options.ts';
import {boundOf, ratesOf, type Bound} from './bounds.ts';
import {gpuNamed, gpus, type Gpu} from './gpus.ts';
import {readFacts, type Facts} from './kernel-facts.ts';
import {modelOf, type Limit} from './model.ts';
import {batchOf, costOf, operationsOf} from './trials.ts';

/** Nothing in it was measured; the bound is by the data sheet. */
export interface ModelledRow extends Bound {
	trial: string;
	/** The GPU's name in the tables. */
	modelledFor: string;
	precision: Precision;
	batchSize: number;
	modelledMs: number;
	/** What the operation is bound by in the model; of the net, that of its longest operation. */
	modelledBy: Limit;
	imagesPerSecond: number;
}

export interface ModelledTime {
	readonly milliseconds: number;
	readonly by: Limit;
}

/** A trial's operations one after the other; undefined where there are no facts about one of them. */
export function modelOfTrial(
	trial: string,
	batchSize: number,
	precision: Precision,
	gpu: Gpu,
	facts: Facts,
): ModelledTime | undefined {
	const pictures = batchOf(trial, batchSize);
	let sum = 0;
	let longest = 0;
	let longestBy: Limit | undefined;
	for (const [operation, count] of operationsOf(trial, batchSize, precision)) {
		const known = facts.operations.find(
			(fact) =>
				fact.trial === operation.name &&
				fact.precision === precision &&
				fact.batchSize === pictures &&
				fact.computeCapability === gpu.computeCapability,
		);
		const time = known && modelOf(known, facts, operation, gpu);
		if (!time) return undefined;
		sum += (count * time.microseconds) / 1000;
		if (time.microseconds > longest) [longest, longestBy] = [time.microseconds, time.by];
	}
	return longestBy && {milliseconds: sum, by: longestBy};
}

/** @throws ALEXNET_ARGUMENT where nothing is known of the GPU. */
export function gpuToModel(name: string): Gpu {
	const gpu = gpuNamed(name);
	if (gpu) return gpu;
	const known = gpus.map((each) => each.name).join(', ');
	throw new AlexNetError('ALEXNET_ARGUMENT', `No data sheet of '${name}' is known here. There are: ${known}.`);
}

/** @throws ALEXNET_ARGUMENT where nothing is known of the GPU, or of the batch size. */
export function modelledRows(
	trials: readonly string[],
	{gpu: name, precision, batchSize}: {gpu: string; precision: Precision; batchSize: number},
): ModelledRow[] {
	const gpu = gpuToModel(name);
	const facts = readFacts();
	return trials.map((trial) => {
		const time = modelOfTrial(trial, batchSize, precision, gpu, facts);
		if (!time) throw new AlexNetError('ALEXNET_ARGUMENT', whyNot(trial, batchSize, gpu, facts));
		const pictures = batchOf(trial, batchSize);
		return {
			...{trial, modelledFor: gpu.name, precision, batchSize: pictures},
			modelledMs: time.milliseconds,
			modelledBy: time.by,
			imagesPerSecond: (pictures * 1000) / time.milliseconds,
			...boundOf(costOf(trial, batchSize, precision), ratesOf(gpu, precision), time.milliseconds),
		};
	});
}

function whyNot(trial: string, batchSize: number, {name, computeCapability}: Gpu, facts: Facts): string {
	const sizes = [...new Set(facts.operations.map((fact) => fact.batchSize))];
	if (!sizes.includes(batchOf(trial, batchSize))) {
		return `${trial}: launches are known for batches of ${sizes.join(' and ')} only, of one picture forward.`;
	}
	const known = new Set(facts.operations.map((fact) => fact.trial));
	const missing = operationsOf(trial, batchSize, 'fp32').find(([operation]) => !known.has(operation.name));
	if (missing)
		return `cuda/kernels.json does not know ${missing[0].name}: it is older than the net. Run npm run kernels.`;
	return `${trial}: cuda/kernels.json has no counts of its kernels' instructions on ${name} (${computeCapability}).`;
}
