// The shapes that a batch takes on its way through a net.
import {elementsOf} from '../device/memory.ts';
import type {Shape} from '../device/tensor.ts';
import type {Architecture} from './architecture.ts';
import {kindOf, type LayerSpec} from './layers/registry.ts';

/** A layer with what it reads and writes, all columns together: [N, H, W, C], or [N, I] from the first linear layer on. */
export interface ShapedLayer {
	readonly spec: LayerSpec;
	readonly input: Shape;
	readonly output: Shape;
	/** In PyTorch's order; missing in layers without. */
	readonly weights: Shape | undefined;
	readonly isFirst: boolean;
	readonly isLast: boolean;
}

/** The layers of a net on one device, with so many pictures. */
export function layerShapes({crop, columns, layers}: Architecture, images: number): ShapedLayer[] {
	let shape: Shape = [images, crop, crop, 3];
	return layers.map((spec, place) => {
		const input = shape;
		shape = kindOf(spec).outputShape(spec, input);
		const weights = kindOf(spec).weightShape?.(spec, input, columns);
		return {spec, input, output: shape, weights, isFirst: place === 0, isLast: place === layers.length - 1};
	});
}

/** Weights and biases. */
export function parametersOf({weights}: ShapedLayer): number {
	return weights ? elementsOf(weights) + (weights[0] ?? 0) : 0;
}

/** Multiplications, each with an addition, of a forward pass: every weight once for each pixel of each picture. */
export function multiplicationsOf({weights, output: [images = 0, ...rest]}: ShapedLayer): number {
	return weights ? images * elementsOf(weights) * elementsOf(rest.slice(0, -1)) : 0;
}
