// What a net must know of a kind of layer. Each layer's file has its own; registry.ts has them all.
import {must, type Check} from '../../base/check.ts';
import type {Shape} from '../../device/tensor.ts';
import type {Layer, Layout, Place} from './layer.ts';

/** What every layer has. */
export interface NamedLayer<Type extends string> {
	/** Tells what kind of layer it is. */
	readonly type: Type;
	/** By it checkpoints and messages name the layer and its parameters ("conv1.weight"); no two layers have the same. */
	readonly name: string;
}

/**
 * Which columns a layer reads. `own`: each half of its kernels sees the same half of its input (a grouped
 * convolution); `both`: every kernel sees everything.
 */
export type Reads = 'own' | 'both';

export const layerName: Check<string> = must(
	'a name of at most 64 letters, digits, points, dashes and underscores',
	(value) => /^[\w.-]{1,64}$/.test(typeof value === 'string' ? value : ''),
);

/** A kind of layer, of which a net's layers are described by such specs. */
export interface LayerKind<Spec extends NamedLayer<string>> {
	/** What a spec from a file must be. What a layer needs of its neighbours, it says itself when it is placed. */
	readonly check: Check<Spec>;
	/** Whether it reads [N, H, W, C] alone, and so cannot follow a linear layer. */
	readonly readsPixels: boolean;
	/** What it makes of [N, H, W, C] or [N, I]. */
	outputShape(spec: Spec, input: Shape): Shape;
	/** Its weights in PyTorch's order, of all columns of the net together; missing in layers without. A bias an output. */
	weightShape?(spec: Spec, input: Shape, columns: number): Shape;
	/** The layer on the devices of its net. */
	place(spec: Spec, place: Place, input: Layout): Layer;
}
