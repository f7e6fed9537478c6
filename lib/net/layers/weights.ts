import type {Shape, Tensor} from '../../device/tensor.ts';
import {Parameter, type ParameterPart, type Place} from '../parameter.ts';
import type {Placement} from './layer.ts';
import type {Unit, WeightBlock} from './product.ts';

export interface WeightOptions {
	/** The layer's. */
	readonly name: string;
	/** PyTorch's order, of the whole layer. */
	readonly shape: Shape;
	/** [C, H, W] where a linear layer reads a convolution's outputs. */
	readonly features?: readonly [number, number, number] | undefined;
	/** Whether each device's outputs read the other device's column, too. */
	readonly readsPeer: boolean;
	/** How many devices have outputs of this layer: all, or the first alone. */
	readonly holders: number;
}

/**
 * The weights and the bias of a layer. Each device that has outputs of the layer holds the weights of those, in two
 * blocks where it reads both devices' columns: [own | peer].
 */
export class Weights {
	/** Weight and bias. */
	readonly parameters: readonly [Parameter, Parameter];
	readonly #blocks: readonly {device: number; from: number}[];

	constructor({memories, precision, learns}: Placement, {name, shape, features, readsPeer, holders}: WeightOptions) {
		const [outputs = 0] = shape;
		const columns = features ? features[0] : (shape[1] ?? 0);
		const rows = (device: number): [number, number] => [(device * outputs) / holders, outputs / holders];
		const share = columns / memories.length;
		const devices = memories.slice(0, holders).map((memory, device) => ({memory, device}));
		this.#blocks = devices.flatMap(({device}) =>
			readsPeer
				? [
						{device, from: device},
						{device, from: 1 - device},
					]
				: [{device, from: device}],
		);
		const places = this.#blocks.flatMap(({device, from}): Place[] => {
			const memory = memories[device];
			if (!memory) return [];
			return [{memory, rows: rows(device), ...(readsPeer && {columns: [from * share, share]})}];
		});
		const biases = devices.map(({memory, device}) => ({memory, rows: rows(device)}));
		const common = {precision, learns: learns(name)};
		this.parameters = [
			new Parameter({...common, name: `${name}.weight`, shape, places, ...(features && {features})}),
			new Parameter({...common, name: `${name}.bias`, shape: [outputs], places: biases}),
		];
	}

	/** @param see how the layer's operation sees a weight tensor */
	units(see: (tensor: Tensor, part: ParameterPart) => Tensor): Unit[] {
		const [weight, bias] = this.parameters;
		const blocks = weight.parts.map((part, index): WeightBlock & {device: number} => ({
			...(this.#blocks[index] ?? {device: 0, from: 0}),
			weights: see(part.operand, part),
			weightGradient: weight.learns ? see(part.gradient, part) : undefined,
		}));
		return bias.parts.flatMap(({weights, gradient}, device) => {
			const [own, peer] = blocks.filter((block) => block.device === device);
			return own ? [{own, peer, bias: weights, biasGradient: bias.learns ? gradient : undefined}] : [];
		});
	}
}
