// The shapes that a batch takes on its way through a net.
import type {Shape} from '../device/native.ts';
import type {Architecture} from './architecture.ts';
import {kindOf, type LayerSpec} from './layers/registry.ts';

/** A layer with what it reads and writes, all columns together: [N, H, W, C], or [N, I] from the first linear layer on. */
export interface ShapedLayer {
	readonly spec: LayerSpec;
	readonly input: Shape;
	readonly output: Shape;
	readonly isFirst: boolean;
	readonly isLast: boolean;
}

/** The layers of a net on one device, with so many pictures. */
export function layerShapes({crop, layers}: Architecture, images: number): ShapedLayer[] {
	let shape: Shape = [images, crop, crop, 3];
	return layers.map((spec, place) => {
		const input = shape;
		shape = kindOf(spec).outputShape(spec, input);
		return {spec, input, output: shape, isFirst: place === 0, isLast: place === layers.length - 1};
	});
}
