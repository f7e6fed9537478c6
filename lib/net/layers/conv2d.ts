import {fields, integer, listOf, oneOf, where, type Check} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';
import {native} from '../../device/native.ts';
import type {Activation} from '../../device/operations.ts';
import type {Shape} from '../../device/tensor.ts';
import type {Initial} from '../initial.ts';
import {layerName, type LayerKind, type NamedLayer, type Reads} from './kind.ts';
import {eachPart, windowPlaces, type Layer, type LayerPlan, type LayerTensors} from './layer.ts';
import type {Layout, Placement} from './layer.ts';
import {planProduct, productChecks, type Product, type Unit} from './product.ts';
import {Weights} from './weights.ts';

/** A convolution with its biases and activation; its kernels are size x size. */
export interface ConvSpec extends NamedLayer<'conv2d'> {
	/** Of all columns together. */
	readonly kernels: number;
	/** Side of a kernel, in pixels. */
	readonly size: number;
	/** Pixels from one window to the next, down and across. */
	readonly stride: number;
	/** Rows and columns of zeros: top, left, bottom, right. */
	readonly pads: readonly [number, number, number, number];
	/** Which columns a kernel sees. */
	readonly reads: Reads;
	/** Applied to the sums with their biases. */
	readonly activation: Activation;
	/** How weights and biases start. */
	readonly initial: Initial;
}

const pads = where(listOf(integer(0), 4), ({length}) => length === 4, 'four numbers') as Check<ConvSpec['pads']>;

export const conv2d: LayerKind<ConvSpec> = {
	check: where(
		fields<ConvSpec>({
			...{type: oneOf(['conv2d']), name: layerName, kernels: integer(1), size: integer(1), stride: integer(1), pads},
			...{reads: oneOf(['own', 'both']), ...productChecks},
		}),
		(spec) => spec.pads.every((pad) => pad < spec.size),
		'a convolution whose pads are smaller than its kernels',
	),
	readsPixels: true,
	outputShape,
	weightShape,
	place: (spec, place, input) => new Conv2d(place, spec, input),
};

function outputShape(spec: ConvSpec, [images = 0, height = 0, width = 0]: Shape): Shape {
	const [top, left, bottom, right] = spec.pads;
	return [images, windowPlaces(height + top + bottom, spec), windowPlaces(width + left + right, spec), spec.kernels];
}

const groupsOf = ({reads}: ConvSpec, columns: number): number => (reads === 'own' ? columns : 1);

function weightShape(spec: ConvSpec, [, , , channels = 0]: Shape, columns: number): Shape {
	return [spec.kernels, channels / groupsOf(spec, columns), spec.size, spec.size];
}

/** Convolution, bias and activation in one. With `reads: 'own'` the columns are groups.                paper 3.2, 3.5 */
class Conv2d implements Layer {
	readonly name: string;
	readonly parameters;
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly activation;
	readonly #spec: ConvSpec;
	readonly #weights: Weights;
	readonly #devices: number;
	readonly #tf32: boolean;
	/** On one device. */
	readonly #groups: number;

	constructor(placement: Placement, spec: ConvSpec, input: Layout) {
		const {columns, memories, tf32} = placement;
		this.name = spec.name;
		this.activation = spec.activation;
		this.#spec = spec;
		this.#tf32 = tf32;
		this.#devices = memories.length;
		const groups = groupsOf(spec, columns);
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
			shape: weightShape(spec, [1, 1, 1, channels], columns),
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
		const {stride, pads} = this.#spec;
		const shape = {stride, pads, groups: this.#groups, tf32: this.#tf32};
		const product: Product = {
			forward: (options) => native.conv2d({...options, ...shape}),
			backwardInput: (options) => native.conv2dBackwardInput({...options, ...shape}),
			backwardWeights: (options) => native.conv2dBackwardWeights({...options, ...shape}),
		};
		const units: readonly Unit[] = this.#weights.units((tensor) => tensor);
		return planProduct(product, this.activation, units, tensors);
	}
}
