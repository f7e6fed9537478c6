// A net that is read from another program's file, layer by layer.
import type {Architecture} from '../net/architecture.ts';
import type {ConvSpec} from '../net/layers/conv2d.ts';
import type {LayerSpec} from '../net/layers/registry.ts';
import {elementsOf} from '../device/memory.ts';
import type {Nonlinearity} from '../device/operations.ts';
import type {Shape} from '../device/tensor.ts';
import {layerShapes} from '../net/shapes.ts';

/** A tensor of a file: its values take memory when they are asked for. */
export interface FileTensor {
	/** PyTorch's order. */
	readonly shape: Shape;
	readonly values: () => Float32Array;
}

/** Layers, and their parameters by name. How large pictures are, their mean image decides. */
export interface BuiltNet extends Omit<Architecture, 'imageSize'> {
	readonly tensors: ReadonlyMap<string, FileTensor>;
}

/** A convolution's or a linear layer's. */
interface Product {
	readonly weight: FileTensor;
	/** Zeros where there is none. */
	readonly bias?: FileTensor | undefined;
}

export interface Convolution extends Product {
	readonly stride: number;
	readonly pads: readonly number[];
	readonly groups: number;
}

export interface Pooling {
	readonly size: number;
	readonly stride: number;
	/** How many windows the other program finds in so many pixels. */
	readonly windows: (pixels: number) => number;
}

export interface Normalization {
	readonly size: number;
	/** The paper's: not divided by the size. */
	readonly alpha: number;
	readonly beta: number;
	readonly k: number;
	/** Parts of the channels that are normalized apart. */
	readonly columns: number;
}

/** How parameters would start if they were drawn anew. */
const initial = {deviation: 0.01, bias: 0};

/** Each layer may have a name from a file of ours; others are called as the paper's are. */
export class NetBuilder {
	readonly #crop: number;
	readonly #layers: LayerSpec[] = [];
	readonly #tensors = new Map<string, FileTensor>();
	readonly #columns = new Set<number>();
	/** Convolutions and linear layers so far, as the paper counts layers. */
	#products = 0;

	/** @param crop side of the pictures that it sees */
	constructor(crop: number) {
		this.#crop = crop;
	}

	get isEmpty(): boolean {
		return this.#layers.length === 0;
	}

	/** What the layers so far make of a picture: [1, H, W, C], or [1, I] from the first linear layer on. */
	get shape(): Shape {
		const crop = this.#crop;
		const net = {imageSize: crop, crop, columns: 1, layers: this.#layers} as const;
		return layerShapes(net, 1).at(-1)?.output ?? [1, crop, crop, 3];
	}

	convolution({weight, bias, stride, pads, groups}: Convolution, given?: string): void {
		const [kernels = 0, channels = 0, size = 0, width] = weight.shape;
		const name = given ?? `conv${++this.#products}`;
		const [, , , inputs] = this.shape;
		if (channels * groups !== inputs) throw new Error(`${name} reads ${channels * groups} channels of ${inputs ?? 0}`);
		if (size !== width) throw new Error(`${name} has kernels of ${size} x ${width ?? 1}, which should be squares`);
		if (groups > 2) throw new Error(`${name} has ${groups} groups; a net has at most 2 columns`);
		this.#columns.add(groups);
		this.#addProduct(name, weight, bias);
		const reads = groups > 1 ? 'own' : 'both';
		const window = {size, stride, pads: pads as ConvSpec['pads']};
		this.#layers.push({type: 'conv2d', name, kernels, ...window, reads, activation: 'none', initial});
	}

	linear({weight, bias}: Product, given?: string): void {
		const [outputs = 0, inputs] = weight.shape;
		const name = given ?? `fc${++this.#products}`;
		const features = elementsOf(this.shape);
		if (inputs !== features) throw new Error(`${name} reads ${inputs ?? 0} features of ${features}`);
		this.#addProduct(name, weight, bias);
		this.#layers.push({type: 'linear', name, outputs, activation: 'none', initial});
	}

	/** Of the convolution or linear layer before, or a layer of its own. */
	activation(activation: Nonlinearity, given?: string): void {
		const last = this.#layers.at(-1);
		if (last && 'activation' in last && last.activation === 'none') this.#layers.splice(-1, 1, {...last, activation});
		else this.#layers.push({type: 'activate', name: given ?? this.#nameOf(activation), activation});
	}

	normalization({columns, size, alpha, beta, k}: Normalization, given?: string): void {
		this.#columns.add(columns);
		const reads = columns > 1 ? 'own' : 'both';
		this.#layers.push({type: 'lrn', name: given ?? this.#nameOf('lrn'), size, alpha, beta, k, reads});
	}

	pooling({size, stride, windows}: Pooling, given?: string): void {
		const name = given ?? this.#nameOf('pool');
		const [, ...sides] = this.shape.slice(0, 3);
		this.#layers.push({type: 'maxPool', name, size, stride});
		const [, ...ours] = this.shape.slice(0, 3);
		const theirs = sides.map(windows);
		if (theirs.join() === ours.join()) return;
		throw new Error(
			`${name} makes ${theirs.join(' x ')} windows of ${sides.join(' x ')}, where ${ours.join(' x ')} lie inside: ` +
				'take a crop of which none reaches over the edge (227 for 224)',
		);
	}

	dropout(rate: number, given?: string): void {
		this.#layers.push({type: 'dropout', name: given ?? this.#nameOf('dropout'), rate});
	}

	build(): BuiltNet {
		const columns = this.#columns.has(2) ? 2 : 1;
		// As nets are written that do without the choice: the paper's LRN is each column's own, and one column is all.
		const layers = this.#layers.map((spec): LayerSpec => {
			if (spec.type !== 'lrn' || (columns === 2 && spec.reads === 'both')) return spec;
			const {type, name, size, alpha, beta, k} = spec;
			return {type, name, size, alpha, beta, k};
		});
		return {crop: this.#crop, columns, layers, tensors: this.#tensors};
	}

	#addProduct(name: string, weight: FileTensor, bias: FileTensor | undefined): void {
		const [outputs = 0] = weight.shape;
		if (bias && bias.shape.join() !== String(outputs)) {
			throw new Error(`${name} has ${outputs} outputs and biases of the shape [${bias.shape.join(', ')}]`);
		}
		this.#tensors.set(`${name}.weight`, weight);
		this.#tensors.set(`${name}.bias`, bias ?? {shape: [outputs], values: () => new Float32Array(outputs)});
	}

	#nameOf(kind: string): string {
		const name = `${kind}${this.#products}`;
		return this.#layers.some((layer) => layer.name === name) ? `${name}.${this.#layers.length}` : name;
	}
}
