import {native} from '../../device/native.ts';
import type {LrnOptions, PoolOptions} from '../../device/operations.ts';
import {partsOf, sideBySide, type Layer, type LayerPlan, type LayerTensors, type Layout} from './layer.ts';

/** Local response normalization and the max pooling above it in one pass: what lies between them is not kept. */
export class LrnMaxPool implements Layer {
	/** The normalization's: where an output is not finite, it is the normalization's that was not. */
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly fusesReluBelow = true;
	readonly #options: {readonly lrn: LrnOptions; readonly pool: PoolOptions};
	readonly #pooling: Layer;

	constructor(name: string, lrn: LrnOptions, pool: PoolOptions, pooling: Layer) {
		this.name = name;
		this.#options = {lrn, pool};
		this.#pooling = pooling;
	}

	output(input: Layout): Layout {
		return this.#pooling.output(input);
	}

	plan(tensors: LayerTensors): LayerPlan {
		const options = this.#options;
		const activation = tensors.reluBelow ? 'relu' : 'none';
		return sideBySide(
			partsOf(tensors).map(({memory, input, output, outputGradient, inputGradient}) => {
				const bytes = outputGradient ? native.maxPoolWorkspaceBytes({input, output, ...options.pool}) : 0;
				const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
				return {
					forward: () => native.lrnMaxPool({input, output, workspace, ...options}),
					backward: () => {
						if (!outputGradient || !inputGradient || !workspace) return;
						native.lrnMaxPoolBackward({input, outputGradient, inputGradient, workspace, activation, ...options});
					},
				};
			}),
		);
	}
}
