// What a network is made of, as plain data: it is written into every checkpoint and rebuilds the net from there.
import type {Activation, LrnOptions, PoolOptions} from './native.ts';

/** How a layer's parameters start: weights ~ N(0, deviation), or N(0, gain / sqrt(inputs of a unit)); biases constant. */
export type Initial = ({readonly deviation: number} | {readonly gain: number}) & {readonly bias: number};

/**
 * Which columns a layer reads. `own`: each half of its kernels sees the same half of its input (a grouped
 * convolution); `both`: every kernel sees everything.
 */
export type Reads = 'own' | 'both';

export interface ConvSpec {
	readonly type: 'conv2d';
	readonly name: string;
	/** Of all columns together. */
	readonly kernels: number;
	readonly size: number;
	readonly stride: number;
	/** Rows and columns of zeros: top, left, bottom, right. */
	readonly pads: readonly [number, number, number, number];
	readonly reads: Reads;
	readonly activation: Activation;
	readonly initial: Initial;
}

/** LRN sees one column at a time. */
export type LrnSpec = {readonly type: 'lrn'; readonly name: string} & Readonly<Omit<LrnOptions, 'columns'>>;
export type MaxPoolSpec = {readonly type: 'maxPool'; readonly name: string} & Readonly<PoolOptions>;

export interface LinearSpec {
	readonly type: 'linear';
	readonly name: string;
	/** Of all columns together. */
	readonly outputs: number;
	readonly activation: Activation;
	readonly initial: Initial;
}

export interface DropoutSpec {
	readonly type: 'dropout';
	readonly name: string;
	readonly rate: number;
}

export type LayerSpec = ConvSpec | LrnSpec | MaxPoolSpec | LinearSpec | DropoutSpec;

export interface Architecture {
	/** Pictures come as imageSize x imageSize x 3. */
	readonly imageSize: number;
	/** The net sees crop x crop of them. */
	readonly crop: number;
	readonly columns: 1 | 2;
	/** The last one is linear and has an output for each class. */
	readonly layers: readonly LayerSpec[];
}
