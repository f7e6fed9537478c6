// What a network is made of, as plain data: it is written into every checkpoint and rebuilds the net from there.
import {
	byType,
	either,
	fields,
	finite,
	integer,
	listOf,
	must,
	number,
	oneOf,
	where,
	type Check,
} from '../base/check.ts';
import type {Activation, LrnOptions, PoolOptions} from '../device/native.ts';

/** How a layer's parameters start: weights ~ N(0, deviation), or N(0, gain / sqrt(inputs of a unit)); biases constant. */
export type Initial = (
	| {
			/** Standard deviation of the weights. */
			readonly deviation: number;
	  }
	| {
			/** Standard deviation of the weights, times the square root of a unit's inputs. */
			readonly gain: number;
	  }
) & {
	/** What every bias is. */
	readonly bias: number;
};

/**
 * Which columns a layer reads. `own`: each half of its kernels sees the same half of its input (a grouped
 * convolution); `both`: every kernel sees everything.
 */
export type Reads = 'own' | 'both';

/** What every layer has. */
export interface NamedLayer<Type extends string> {
	/** Tells what kind of layer it is. */
	readonly type: Type;
	/** By it checkpoints and messages name the layer and its parameters ("conv1.weight"); no two layers have the same. */
	readonly name: string;
}

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

/** LRN sees one column at a time. */
export type LrnSpec = NamedLayer<'lrn'> & Readonly<Omit<LrnOptions, 'columns'>>;
/** Windows of size x size; they overlap where the stride is smaller (paper 3.4). */
export type MaxPoolSpec = NamedLayer<'maxPool'> & Readonly<PoolOptions>;

/** A fully connected layer with its biases and activation. */
export interface LinearSpec extends NamedLayer<'linear'> {
	/** Of all columns together. */
	readonly outputs: number;
	/** Applied to the sums with their biases. */
	readonly activation: Activation;
	/** How weights and biases start. */
	readonly initial: Initial;
}

/** Drops each output with the probability `rate` in training, and scales the others up (paper 4.2). */
export interface DropoutSpec extends NamedLayer<'dropout'> {
	/** At least 0 and below 1. */
	readonly rate: number;
}

/** A layer as plain data. */
export type LayerSpec = ConvSpec | LrnSpec | MaxPoolSpec | LinearSpec | DropoutSpec;

/** A network as plain data: what `model.architecture` tells and a checkpoint holds. */
export interface Architecture {
	/** Pictures come as imageSize x imageSize x 3. */
	readonly imageSize: number;
	/** The net sees crop x crop of them. */
	readonly crop: number;
	/** How many columns share the channels; each may be on a device of its own (paper 3.2). */
	readonly columns: 1 | 2;
	/** The last one is linear and has an output for each class. */
	readonly layers: readonly LayerSpec[];
}

/** More than any net of this package has; each takes time and memory to look at. */
const mostLayers = 100;

const name: Check<string> = must('a name of at most 64 letters, digits, points, dashes and underscores', (value) =>
	/^[\w.-]{1,64}$/.test(typeof value === 'string' ? value : ''),
);
const activation = oneOf<Activation>(['none', 'relu', 'tanh']);
const initial: Check<Initial> = either(
	fields<{deviation: number; bias: number}>({deviation: number(0), bias: finite}),
	fields<{gain: number; bias: number}>({gain: number(0), bias: finite}),
	'an object of deviation or gain, and bias',
);
const pads = where(listOf(integer(0), 4), ({length}) => length === 4, 'four numbers') as Check<ConvSpec['pads']>;

const layer: Check<LayerSpec> = byType<LayerSpec>({
	conv2d: where(
		fields<ConvSpec>({
			...{type: oneOf(['conv2d']), name, kernels: integer(1), size: integer(1), stride: integer(1), pads},
			...{reads: oneOf(['own', 'both']), activation, initial},
		}),
		(spec) => spec.pads.every((pad) => pad < spec.size),
		'a convolution whose pads are smaller than its kernels',
	),
	lrn: where(
		fields<LrnSpec>({type: oneOf(['lrn']), name, size: integer(1), alpha: number(0), beta: number(0), k: number(0)}),
		({size}) => size % 2 === 1,
		'a normalization of odd size',
	),
	maxPool: fields<MaxPoolSpec>({type: oneOf(['maxPool']), name, size: integer(1), stride: integer(1)}),
	linear: fields<LinearSpec>({type: oneOf(['linear']), name, outputs: integer(1), activation, initial}),
	dropout: fields<DropoutSpec>({type: oneOf(['dropout']), name, rate: number(0, 1)}),
});

/** Pictures go through convolutions, normalization and pooling first, through linear layers and dropout then. */
function isInOrder(layers: readonly LayerSpec[]): boolean {
	const first = layers.findIndex(({type}) => type === 'linear');
	const isFlat = ({type}: LayerSpec): boolean => type === 'linear' || type === 'dropout';
	return first >= 0 && layers.every((spec, place) => isFlat(spec) === place >= first);
}

const layers: Check<readonly LayerSpec[]> = where(
	where(listOf(layer, mostLayers), isInOrder, 'layers that read pictures, followed by linear ones'),
	(all) => all.at(-1)?.type === 'linear' && new Set(all.map((spec) => spec.name)).size === all.length,
	'layers with a name each, the last one linear',
);

/** What an architecture from a file must be. What its layers need of each other, the layers themselves say. */
export const architectureCheck: Check<Architecture> = where(
	fields<Architecture>({imageSize: integer(1), crop: integer(1), columns: oneOf([1, 2]), layers}),
	({imageSize, crop}) => crop <= imageSize,
	'a net whose crop is no larger than its pictures',
);
