// What can be measured, and what each trial has to do at least.
import {alexnet} from '../lib/net/alexnet.ts';
import type {Precision} from '../lib/net/options.ts';
import type {OperationTrial} from './operation.ts';
import {operationTrials} from './operation-trials.ts';

const architecture = alexnet({classes: 1000});

export const {columns} = architecture;

/** Trials of the whole net, through the API that users call. */
export const modelTrials = ['train-step', 'inference'] as const;
export type ModelTrial = (typeof modelTrials)[number];

export function isModelTrial(name: string): name is ModelTrial {
	return modelTrials.some((trial) => trial === name);
}

/** Names of all trials: the whole net's, then each operation's. */
export function trialNames(): string[] {
	return [...modelTrials, ...operationTrials(architecture, 1, 'fp32').map(({name}) => name)];
}

export function operationTrial(name: string, batchSize: number, precision: Precision): OperationTrial {
	const found = operationTrials(architecture, batchSize, precision).find((trial) => trial.name === name);
	if (!found) throw new Error(`There is no trial '${name}'.`);
	return found;
}

export interface Cost {
	/** Tensors read and written, each once by each operation. */
	bytes: number;
	/** Additions and multiplications of convolutions and linear layers. */
	operations: number;
}

/** A trial of the whole net does what its operations do, one after the other. */
export function costOf(name: string, batchSize: number, precision: Precision): Cost {
	const times = (trial: OperationTrial): number => {
		if (name === 'train-step') return trial.inTraining;
		if (name === 'inference') return trial.inInference;
		return trial.name === name ? 1 : 0;
	};
	const cost = {bytes: 0, operations: 0};
	for (const trial of operationTrials(architecture, batchSize, precision)) {
		const bytes = Object.values(trial.tensors).reduce((sum, tensor) => sum + tensor.bytes, 0);
		cost.bytes += times(trial) * bytes;
		cost.operations += times(trial) * trial.operations;
	}
	return cost;
}
