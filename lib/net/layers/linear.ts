import {fields, integer, oneOf} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';
import {elementsOf} from '../../device/memory.ts';
import {native} from '../../device/native.ts';
import type {Activation} from '../../device/operations.ts';
import type {Tensor} from '../../device/tensor.ts';
import type {Initial} from '../initial.ts';
import {layerName, type LayerKind, type NamedLayer} from './kind.ts';
import type {Layer, LayerPlan, LayerTensors, Layout, Parts, Place} from './layer.ts';
import {planProduct, productChecks, type Product} from './product.ts';
import {Weights} from './weights.ts';

/** A fully connected layer with its biases and activation. */
export interface LinearSpec extends NamedLayer<'linear'> {
	/** Of all columns together. */
	readonly outputs: number;
	/** Applied to the sums with their biases. */
	readonly activation: Activation;
	/** How weights and biases start. */
	readonly initial: Initial;
}

export const linear: LayerKind<LinearSpec> = {
	check: fields<LinearSpec>({type: oneOf(['linear']), name: layerName, outputs: integer(1), ...productChecks}),
	readsPixels: false,
	outputShape: ({outputs}, [images = 0]) => [images, outputs],
	weightShape: ({outputs}, [, ...features]) => [outputs, elementsOf(features)],
	place: (spec, place, input) => new Linear(place, spec, input),
};

/** Fully connected layer with bias and activation, reading all of its input: [N, H, W, C] or [N, I].      paper 3.5 */
class Linear implements Layer {
	readonly name: string;
	readonly parameters;
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly activation;
	readonly #spec: LinearSpec;
	readonly #tf32: boolean;
	readonly #weights: Weights;
	/** How many devices have outputs. */
	readonly #holders: number;

	constructor(place: Place, spec: LinearSpec, input: Layout) {
		const devices = place.memories.length;
		this.name = spec.name;
		this.activation = spec.activation;
		this.#spec = spec;
		this.#tf32 = place.tf32;
		this.#holders = place.isLast ? 1 : devices;
		if (spec.outputs % this.#holders !== 0) {
			const message = `${spec.name}: ${devices} devices must share ${spec.outputs} outputs evenly.`;
			throw new AlexNetError('ALEXNET_SHAPE', message);
		}
		const parts = input.copies ? input.shapes.slice(0, 1) : input.shapes;
		const inputs = parts.reduce((sum, shape) => sum + elementsOf(shape.slice(1)), 0);
		const [, height = 0, width = 0, channels] = parts[0] ?? [];
		this.#weights = new Weights(place, {
			name: spec.name,
			shape: [spec.outputs, inputs],
			// Files order a convolution's features [C, H, W], as PyTorch flattens them.
			features: channels === undefined ? undefined : [channels * parts.length, height, width],
			readsPeer: devices > 1 && !input.copies,
			holders: this.#holders,
		});
		this.parameters = this.#weights.parameters.map((parameter) => ({parameter, initial: spec.initial}));
	}

	output({shapes}: Layout): Layout {
		const outputs = this.#spec.outputs / this.#holders;
		return {shapes: shapes.slice(0, this.#holders).map(([images = 0]) => [images, outputs]), copies: false};
	}

	plan(tensors: LayerTensors): LayerPlan {
		const {memories, input, inputGradient} = tensors;
		const flat = (parts: Parts): Tensor[] =>
			parts.flatMap((part, device) => {
				const [images = 0, ...features] = part.shape;
				const view = memories[device]?.view(part, [images, elementsOf(features)], part.dataType);
				return view ? [view] : [];
			});
		const tf32 = this.#tf32;
		const product: Product = {
			forward: (options) => native.linear({...options, tf32}),
			backwardInput: (options) => native.linearBackwardInput({...options, tf32}),
			backwardWeights: (options) => native.linearBackwardWeights({...options, tf32}),
		};
		const units = this.#weights.units((tensor, {memory, shape}) =>
			// The view goes with the plan.
			(memories.find(({device}) => device === memory.device) ?? memory).view(
				tensor,
				[shape[0] ?? 0, elementsOf(shape.slice(1))],
				tensor.dataType,
			),
		);
		const flattened = {...tensors, input: flat(input), inputGradient: inputGradient && flat(inputGradient)};
		return planProduct(product, this.activation, units, flattened);
	}
}
