import type {LrnSpec} from '../architecture.ts';
import {native} from '../../device/native.ts';
import {
	partsOf,
	sideBySide,
	type Layer,
	type LayerPlan,
	type LayerTensors,
	type Layout,
	type Placement,
} from './layer.ts';

/** Local response normalization across the channels of each column.                                        paper 3.3 */
export class Lrn implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #options;

	constructor({columns, memories}: Placement, {name, size, alpha, beta, k}: LrnSpec) {
		this.name = name;
		this.#options = {columns: columns / memories.length, size, alpha, beta, k};
	}

	output(input: Layout): Layout {
		return input;
	}

	plan(tensors: LayerTensors): LayerPlan {
		const options = this.#options;
		return sideBySide(
			partsOf(tensors).map(({memory, input, output, outputGradient, inputGradient}) => {
				const bytes = outputGradient ? native.lrnWorkspaceBytes({input, output, ...options}) : 0;
				const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
				return {
					forward: () => native.lrn({input, output, workspace, ...options}),
					backward: () => {
						if (!outputGradient || !inputGradient) return;
						native.lrnBackward({input, outputGradient, inputGradient, workspace, ...options});
					},
				};
			}),
		);
	}
}
