import type {ConvSpec} from '../architecture.ts';
import {AlexNetError} from '../../base/errors.ts';
import {native} from '../../device/native.ts';
import {outputShape} from '../shapes.ts';
import {eachPart, type Layer, type LayerPlan, type LayerTensors, type Layout, type Placement} from './layer.ts';
import {planProduct, type Product, type Unit} from './product.ts';
import {Weights} from './weights.ts';

/** Convolution, bias and activation in one. With `reads: 'own'` the columns are groups.                paper 3.2, 3.5 */
export class Conv2d implements Layer {
	readonly name: string;
	readonly parameters;
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #spec: ConvSpec;
	readonly #weights: Weights;
	readonly #devices: number;
	/** On one device. */
	readonly #groups: number;

	constructor(placement: Placement, spec: ConvSpec, input: Layout) {
		const {columns, memories} = placement;
		this.name = spec.name;
		this.#spec = spec;
		this.#devices = memories.length;
		const groups = spec.reads === 'own' ? columns : 1;
		const parts = input.copies ? input.shapes.slice(0, 1) : input.shapes;
		const channels = parts.reduce((sum, shape) => sum + (shape[3] ?? 0), 0);
		if (channels % groups !== 0 || spec.kernels % columns !== 0 || (input.copies && groups > 1 && this.#devices > 1)) {
			throw new AlexNetError(
				'ALEXNET_SHAPE',
				`${spec.name}: ${columns} columns must share ${channels} input channels and ${spec.kernels} kernels evenly.`,
			);
		}
		this.#groups = groups / (groups > 1 ? this.#devices : 1);
		this.#weights = new Weights(placement, {
			name: spec.name,
			shape: [spec.kernels, channels / groups, spec.size, spec.size],
			readsPeer: spec.reads === 'both' && !input.copies && this.#devices > 1,
			holders: this.#devices,
		});
		this.parameters = this.#weights.parameters.map((parameter) => ({parameter, initial: spec.initial}));
	}

	output({shapes}: Layout): Layout {
		const own = {...this.#spec, kernels: this.#spec.kernels / this.#devices};
		return eachPart({shapes, copies: false}, (shape) => outputShape(own, shape));
	}

	plan(tensors: LayerTensors): LayerPlan {
		const {stride, pads, activation} = this.#spec;
		const shape = {stride, pads, groups: this.#groups};
		const product: Product = {
			forward: (options) => native.conv2d({...options, ...shape}),
			backwardInput: (options) => native.conv2dBackwardInput({...options, ...shape}),
			backwardWeights: (options) => native.conv2dBackwardWeights({...options, ...shape}),
		};
		const units: readonly Unit[] = this.#weights.units((tensor) => tensor);
		return planProduct(product, activation, units, tensors);
	}
}
