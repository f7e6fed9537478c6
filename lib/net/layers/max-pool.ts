import type {MaxPoolSpec} from '../architecture.ts';
import {native} from '../../device/native.ts';
import {outputShape} from '../shapes.ts';
import {eachPart, partsOf, sideBySide, type Layer, type LayerPlan, type LayerTensors, type Layout} from './layer.ts';

/** Max pooling; windows overlap where size exceeds stride.                                                  paper 3.4 */
export class MaxPool implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #spec: MaxPoolSpec;

	constructor(spec: MaxPoolSpec) {
		this.name = spec.name;
		this.#spec = spec;
	}

	output(layout: Layout): Layout {
		return eachPart(layout, (shape) => outputShape(this.#spec, shape));
	}

	plan(tensors: LayerTensors): LayerPlan {
		const {size, stride} = this.#spec;
		const options = {size, stride};
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
