import type {MaxPoolSpec} from '../architecture.ts';
import {native, type Shape} from '../native.ts';
import type {Layer, LayerPlan, LayerTensors} from './layer.ts';

/** Max pooling; windows overlap where size exceeds stride.                                                  paper 3.4 */
export class MaxPool implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #options;

	constructor({name, size, stride}: MaxPoolSpec) {
		this.name = name;
		this.#options = {size, stride};
	}

	outputShape([images = 0, height = 0, width = 0, channels = 0]: Shape): Shape {
		const {size, stride} = this.#options;
		const outputs = (length: number): number => Math.floor((length - size) / stride) + 1;
		return [images, outputs(height), outputs(width), channels];
	}

	plan({memory, input, output, outputGradient, inputGradient}: LayerTensors): LayerPlan {
		const options = this.#options;
		const bytes = outputGradient ? native.maxPoolWorkspaceBytes({input, output, ...options}) : 0;
		const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
		return {
			forward: () => native.maxPool({input, output, workspace, ...options}),
			backward: () => {
				if (!outputGradient || !inputGradient || !workspace) return;
				native.maxPoolBackward({outputGradient, inputGradient, workspace, ...options});
			},
		};
	}
}
