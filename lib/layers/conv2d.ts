import type {ConvSpec} from '../architecture.ts';
import {AlexNetError} from '../errors.ts';
import type {Memory} from '../memory.ts';
import {native, type DataType, type Shape} from '../native.ts';
import {Parameter} from '../parameter.ts';
import type {Layer, LayerPlan, LayerTensors} from './layer.ts';

/** Convolution, bias and activation in one. With `reads: 'own'` the columns are groups.                paper 3.2, 3.5 */
export class Conv2d implements Layer {
	readonly name: string;
	readonly parameters;
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #spec: ConvSpec;
	readonly #groups: number;
	readonly #weight: Parameter;
	readonly #bias: Parameter;

	constructor(memory: Memory, spec: ConvSpec, input: Shape, columns: number, precision: DataType) {
		const channels = input[3] ?? 0;
		this.name = spec.name;
		this.#spec = spec;
		this.#groups = spec.reads === 'own' ? columns : 1;
		if (channels % this.#groups !== 0 || spec.kernels % columns !== 0) {
			throw new AlexNetError(
				'ALEXNET_SHAPE',
				`${spec.name}: ${columns} columns must share ${channels} input channels and ${spec.kernels} kernels evenly.`,
			);
		}
		const shape = [spec.kernels, channels / this.#groups, spec.size, spec.size];
		this.#weight = new Parameter(memory, {name: `${spec.name}.weight`, shape, precision});
		this.#bias = new Parameter(memory, {name: `${spec.name}.bias`, shape: [spec.kernels], precision});
		this.parameters = [this.#weight, this.#bias].map((parameter) => ({parameter, initial: spec.initial}));
	}

	outputShape([images = 0, height = 0, width = 0]: Shape): Shape {
		const {size, stride, pads, kernels} = this.#spec;
		const outputs = (length: number, pad: number): number => Math.floor((length + pad - size) / stride) + 1;
		return [images, outputs(height, pads[0] + pads[2]), outputs(width, pads[1] + pads[3]), kernels];
	}

	plan({input, output, outputGradient, inputGradient}: LayerTensors): LayerPlan {
		const {stride, pads, activation} = this.#spec;
		const shape = {stride, pads, groups: this.#groups};
		const weights = this.#weight.operand;
		return {
			forward: () => native.conv2d({input, weights, bias: this.#bias.weights, output, ...shape, activation}),
			backward: () => {
				if (!outputGradient) return;
				if (activation !== 'none') {
					native.activateBackward({output, outputGradient, inputGradient: outputGradient, activation});
				}
				const gradients = {weightGradient: this.#weight.gradient, biasGradient: this.#bias.gradient};
				native.conv2dBackwardWeights({input, outputGradient, ...gradients, ...shape});
				if (inputGradient) native.conv2dBackwardInput({outputGradient, weights, inputGradient, ...shape});
			},
		};
	}
}
