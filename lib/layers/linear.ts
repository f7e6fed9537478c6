import type {LinearSpec} from '../architecture.ts';
import {elementsOf, type Memory} from '../memory.ts';
import {native, type DataType, type Shape, type Tensor} from '../native.ts';
import {Parameter} from '../parameter.ts';
import type {Layer, LayerPlan, LayerTensors} from './layer.ts';

/** Fully connected layer with bias and activation, reading all of its input: [N, H, W, C] or [N, I].      paper 3.5 */
export class Linear implements Layer {
	readonly name: string;
	readonly parameters;
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #spec: LinearSpec;
	readonly #weight: Parameter;
	readonly #bias: Parameter;

	constructor(memory: Memory, spec: LinearSpec, input: Shape, precision: DataType) {
		this.name = spec.name;
		this.#spec = spec;
		const [, height, width, channels] = input;
		const shape = [spec.outputs, elementsOf(input.slice(1))];
		// Files order a convolution's features [C, H, W], as PyTorch flattens them.
		const features = channels === undefined ? {} : {features: [channels, height ?? 0, width ?? 0]};
		this.#weight = new Parameter(memory, {name: `${spec.name}.weight`, shape, precision, ...features});
		this.#bias = new Parameter(memory, {name: `${spec.name}.bias`, shape: [spec.outputs], precision});
		this.parameters = [this.#weight, this.#bias].map((parameter) => ({parameter, initial: spec.initial}));
	}

	outputShape([images = 0]: Shape): Shape {
		return [images, this.#spec.outputs];
	}

	plan({memory, input, output, outputGradient, inputGradient}: LayerTensors): LayerPlan {
		const {activation} = this.#spec;
		const [outputs, inputs] = this.#weight.shape as [number, number];
		const flat = (tensor: Tensor, rows: number): Tensor => memory.view(tensor, [rows, inputs], tensor.dataType);
		const images = input.shape[0] ?? 0;
		const features = flat(input, images);
		const featureGradient = inputGradient && flat(inputGradient, images);
		const weights = flat(this.#weight.operand, outputs);
		const weightGradient = flat(this.#weight.gradient, outputs);
		const [bias, biasGradient] = [this.#bias.weights, this.#bias.gradient];
		return {
			forward: () => native.linear({input: features, weights, bias, output, activation}),
			backward: () => {
				if (!outputGradient) return;
				if (activation !== 'none') {
					native.activateBackward({output, outputGradient, inputGradient: outputGradient, activation});
				}
				native.linearBackwardWeights({input: features, outputGradient, weightGradient, biasGradient});
				if (featureGradient) native.linearBackwardInput({outputGradient, weights, inputGradient: featureGradient});
			},
		};
	}
}
