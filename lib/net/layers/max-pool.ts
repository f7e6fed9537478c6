import type {MaxPoolSpec} from '../architecture.ts';
import {native} from '../../device/native.ts';
import {eachPart, partsOf, sideBySide, type Layer, type LayerPlan, type LayerTensors, type Layout} from './layer.ts';

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

	output(layout: Layout): Layout {
		const {size, stride} = this.#options;
		const outputs = (length: number): number => Math.floor((length - size) / stride) + 1;
		return eachPart(layout, ([images = 0, height = 0, width = 0, channels = 0]) => {
			return [images, outputs(height), outputs(width), channels];
		});
	}

	plan(tensors: LayerTensors): LayerPlan {
		const options = this.#options;
		return sideBySide(
			partsOf(tensors).map(({memory, input, output, outputGradient, inputGradient}) => {
				const bytes = outputGradient ? native.maxPoolWorkspaceBytes({input, output, ...options}) : 0;
				const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
				return {
					forward: () => native.maxPool({input, output, workspace, ...options}),
					backward: () => {
						if (!outputGradient || !inputGradient || !workspace) return;
						native.maxPoolBackward({outputGradient, inputGradient, workspace, ...options});
					},
				};
			}),
		);
	}
}
