import type {LrnSpec} from '../architecture.ts';
import {native, type Shape} from '../native.ts';
import type {Layer, LayerPlan, LayerTensors} from './layer.ts';

/** Local response normalization across the channels of each column.                                        paper 3.3 */
export class Lrn implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #options;

	constructor({name, size, alpha, beta, k}: LrnSpec, columns: number) {
		this.name = name;
		this.#options = {columns, size, alpha, beta, k};
	}

	outputShape(input: Shape): Shape {
		return input;
	}

	plan({memory, input, output, outputGradient, inputGradient}: LayerTensors): LayerPlan {
		const options = this.#options;
		const bytes = outputGradient ? native.lrnWorkspaceBytes({input, output, ...options}) : 0;
		const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
		return {
			forward: () => native.lrn({input, output, workspace, ...options}),
			backward: () => {
				if (!outputGradient || !inputGradient) return;
				native.lrnBackward({input, outputGradient, inputGradient, workspace, ...options});
			},
		};
	}
}
