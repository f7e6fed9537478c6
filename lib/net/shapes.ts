// The shapes that a batch takes on its way through a net.
import type {Shape} from '../device/native.ts';
import type {Architecture, LayerSpec} from './architecture.ts';

/** A layer with what it reads and writes, all columns together: [N, H, W, C], or [N, I] from the first linear layer on. */
export interface ShapedLayer {
	readonly spec: LayerSpec;
	readonly input: Shape;
	readonly output: Shape;
}

/** What a layer makes of such an input. */
export function outputShape(spec: LayerSpec, input: Shape): Shape {
	const [images = 0, height = 0, width = 0, channels = 0] = input;
	switch (spec.type) {
		case 'conv2d': {
			const [top, left, bottom, right] = spec.pads;
			return [images, places(height + top + bottom, spec), places(width + left + right, spec), spec.kernels];
		}
		case 'maxPool':
			return [images, places(height, spec), places(width, spec), channels];
		case 'linear':
			return [images, spec.outputs];
		case 'lrn':
		case 'dropout':
			return input;
	}
}

/** The layers of a net on one device, with so many pictures. */
export function layerShapes({crop, layers}: Architecture, images: number): ShapedLayer[] {
	let shape: Shape = [images, crop, crop, 3];
	return layers.map((spec) => {
		const input = shape;
		shape = outputShape(spec, input);
		return {spec, input, output: shape};
	});
}

/** Where in a row a window can stand. */
function places(length: number, {size, stride}: {readonly size: number; readonly stride: number}): number {
	return Math.floor((length - size) / stride) + 1;
}
