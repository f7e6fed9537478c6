import {fields, number, oneOf} from '../../base/check.ts';
import {elementsOf, type Memory} from '../../device/memory.ts';
import {native} from '../../device/native.ts';
import type {Tensor} from '../../device/tensor.ts';
import {layerName, type LayerKind, type NamedLayer} from './kind.ts';
import {partsOf, sideBySide, type Layer, type LayerPlan, type LayerTensors, type Layout, type Place} from './layer.ts';

/** Drops each output with the probability `rate` in training, and scales the others up (paper 4.2). */
export interface DropoutSpec extends NamedLayer<'dropout'> {
	/** At least 0 and below 1. */
	readonly rate: number;
}

export const dropout: LayerKind<DropoutSpec> = {
	check: fields<DropoutSpec>({type: oneOf(['dropout']), name: layerName, rate: number(0, 1)}),
	readsPixels: false,
	outputShape: (_, input) => input,
	place: (spec, place) => new Dropout(spec, place),
};

/**
 * Dropout, inverted: what stays is divided by 1 - rate in training, so that inference needs no scaling. In expectation
 * the same as the paper's halved outputs at test time.                                                       paper 4.2
 */
class Dropout implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = true;
	readonly trainingOnly = true;
	/** What the mask is a function of, besides the step and an element's place. */
	readonly #mask;

	constructor({name, rate}: DropoutSpec, {seed, ordinal}: Place) {
		this.name = name;
		this.#mask = {rate, seed, layer: ordinal};
	}

	output(input: Layout): Layout {
		return input;
	}

	plan(tensors: LayerTensors): LayerPlan {
		const parts = partsOf(tensors);
		// A pixel's channels are a row, so that columns have the same masks on one device and on two.
		const width = tensors.input[0]?.shape.at(-1) ?? 0;
		const common = {...this.#mask, features: width * parts.length, step: 0}; // replays bring their own step
		const rows = (memory: Memory, tensor: Tensor): Tensor =>
			memory.view(tensor, [elementsOf(tensor.shape) / width, width], tensor.dataType);
		return sideBySide(
			parts.map(({memory, ...of}, part) => {
				const own = {...common, offset: part * width};
				const [input, output] = [rows(memory, of.input), rows(memory, of.output)];
				const outputGradient = of.outputGradient && rows(memory, of.outputGradient);
				const inputGradient = of.inputGradient && rows(memory, of.inputGradient);
				return {
					forward: () => {
						native.dropout({input, output, ...own});
					},
					// The mask is a function of the counter: the gradient passes through the same call.
					backward: () => {
						if (!outputGradient || !inputGradient) return;
						native.dropout({input: outputGradient, output: inputGradient, ...own});
					},
				};
			}),
		);
	}
}
