import type {DropoutSpec} from '../architecture.ts';
import {native} from '../../device/native.ts';
import {partsOf, sideBySide, type Layer, type LayerPlan, type LayerTensors, type Layout} from './layer.ts';

/**
 * Dropout, inverted: what stays is divided by 1 - rate in training, so that inference needs no scaling. In expectation
 * the same as the paper's halved outputs at test time.                                                       paper 4.2
 */
export class Dropout implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = true;
	readonly trainingOnly = true;
	readonly #rate: number;
	readonly #seed: number;
	readonly #ordinal: number;

	/** @param ordinal 0 for the net's first dropout layer, 1 for the second: part of the mask's counter. */
	constructor(spec: DropoutSpec, seed: number, ordinal: number) {
		this.name = spec.name;
		this.#rate = spec.rate;
		this.#seed = seed;
		this.#ordinal = ordinal;
	}

	output(input: Layout): Layout {
		return input;
	}

	plan(tensors: LayerTensors): LayerPlan {
		const parts = partsOf(tensors);
		const width = tensors.input[0]?.shape[1] ?? 0;
		const common = {rate: this.#rate, seed: this.#seed, layer: this.#ordinal, features: width * parts.length};
		let current = 0;
		return sideBySide(
			parts.map(({input, output, outputGradient, inputGradient}, part) => {
				const own = {...common, offset: part * width};
				return {
					forward: (step) => {
						current = step;
						native.dropout({input, output, step, ...own});
					},
					// The mask is a function of the counter: the gradient passes through the same call.
					backward: () => {
						if (!outputGradient || !inputGradient) return;
						native.dropout({input: outputGradient, output: inputGradient, step: current, ...own});
					},
				};
			}),
		);
	}
}
