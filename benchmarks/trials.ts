// What can be measured, and what each trial has to do at least.
import {alexnet} from '../lib/net/alexnet.ts';
import type {Precision} from '../lib/net/options.ts';
import type {OperationTrial} from './operation.ts';
import {exchangeTrials, type ExchangeTrial} from './exchanges.ts';
import {operationTrials} from './operation-trials.ts';

const architecture = alexnet({classes: 1000});

export const {columns} = architecture;

/** Trials of the whole net, through the API that users call. */
export const modelTrials = ['train-step', 'training', 'inference', 'inference-1'] as const;
export type ModelTrial = (typeof modelTrials)[number];

export function isModelTrial(name: string): name is ModelTrial {
	return modelTrials.some((trial) => trial === name);
}

/** Pictures of a trial where `asked` are asked for. */
export function batchOf(trial: string, asked: number): number {
	return trial === 'inference-1' ? 1 : asked;
}

/** Operations in the order of a step. */
export function operationNames(): string[] {
	return operationTrials(architecture, 1, 'fp32').map(({name}) => name);
}

const exchangeNames: readonly string[] = exchangeTrials(architecture, 1, 'fp32').map(({name}) => name);

export function isExchange(name: string): boolean {
	return exchangeNames.includes(name);
}

/** Names of all trials: the whole net's, then each operation's, then what two devices exchange. */
export function trialNames(): string[] {
	return [...modelTrials, ...operationNames(), ...exchangeNames];
}

/** Those that so many devices can run. */
export function trialsOn(devices: number): string[] {
	return trialNames().filter((name) => isModelTrial(name) || isExchange(name) === devices > 1);
}

export function operationTrial(name: string, batchSize: number, precision: Precision): OperationTrial {
	const found = operationTrials(architecture, batchSize, precision).find((trial) => trial.name === name);
	if (!found) throw new Error(`There is no trial '${name}'.`);
	return found;
}

export function exchangeTrial(name: string, batchSize: number, precision: Precision): ExchangeTrial {
	const found = exchangeTrials(architecture, batchSize, precision).find((trial) => trial.name === name);
	if (!found) throw new Error(`There is no exchange '${name}'.`);
	return found;
}

export interface Cost {
	/** Tensors read and written, each once by each operation. */
	bytes: number;
	/** Additions and multiplications of convolutions and linear layers. */
	operations: number;
}

/** The operations of a trial, and how often each: a trial of the whole net does them one after the other. */
export function operationsOf(name: string, asked: number, precision: Precision): [OperationTrial, number][] {
	const times = (trial: OperationTrial): number => {
		if (name === 'train-step' || name === 'training') return trial.inTraining;
		if (name.startsWith('inference')) return trial.inInference;
		return trial.name === name ? 1 : 0;
	};
	return operationTrials(architecture, batchOf(name, asked), precision)
		.map((trial): [OperationTrial, number] => [trial, times(trial)])
		.filter(([, count]) => count > 0);
}

/** Of an exchange, what both devices read and write. */
export function costOf(name: string, asked: number, precision: Precision): Cost {
	if (isExchange(name)) {
		const {bytes, isMutual} = exchangeTrial(name, asked, precision);
		return {bytes: bytes * (isMutual ? 4 : 2), operations: 0};
	}
	const cost = {bytes: 0, operations: 0};
	for (const [{tensors, operations}, count] of operationsOf(name, asked, precision)) {
		cost.bytes += count * Object.values(tensors).reduce((sum, {bytes}) => sum + bytes, 0);
		cost.operations += count * operations;
	}
	return cost;
}
