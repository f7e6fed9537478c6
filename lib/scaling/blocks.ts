// A net as blocks: a layer with weights, and the layers without any up to the next one.
import {elementsOf} from '../device/memory.ts';
import type {Architecture} from '../net/architecture.ts';
import {layerShapes, multiplicationsOf, parametersOf} from '../net/shapes.ts';

/** What of a step belongs to a layer with weights. */
export interface Block {
	/** The layer's name. */
	readonly name: string;
	/** Whether every output reads every input. */
	readonly isLinear: boolean;
	/** Weights and biases, each with a gradient. */
	readonly parameters: number;
	/** Values a picture that it reads, and that it hands on. */
	readonly inputs: number;
	readonly outputs: number;
	/** Of a picture, forward; each with an addition. */
	readonly multiplications: number;
}

/** In the order of the forward pass. */
export function blocksOf(architecture: Architecture): readonly Block[] {
	return layerShapes(architecture, 1).flatMap((layer) =>
		layer.weights
			? {
					...{name: layer.spec.name, isLinear: layer.spec.type === 'linear', parameters: parametersOf(layer)},
					...{inputs: elementsOf(layer.input), outputs: elementsOf(layer.output)},
					multiplications: multiplicationsOf(layer),
				}
			: [],
	);
}

export const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
	items.reduce((total, item) => total + of(item), 0);
