// The shapes of a net's layers, for checks of operations at their real size.
import type {Architecture} from '../../net/architecture.ts';
import {layerShapes} from '../../net/shapes.ts';
import {elementsOf} from '../../device/memory.ts';
import type {Shape} from '../../device/native.ts';
import type {AugmentGeometry} from '../reference/augment.ts';
import type {ConvGeometry} from '../reference/conv2d.ts';
import type {LinearGeometry} from '../reference/linear.ts';
import type {LrnGeometry} from '../reference/lrn.ts';
import type {PoolGeometry} from '../reference/max-pool.ts';

export interface LayerGeometries {
	readonly augment: AugmentGeometry[];
	readonly convolution: ConvGeometry[];
	readonly lrn: LrnGeometry[];
	readonly maxPool: PoolGeometry[];
	readonly linear: LinearGeometry[];
}

/** With both columns on one device; of a linear layer, what one of two devices multiplies at a time. */
export function layerGeometries(architecture: Architecture, images: number): LayerGeometries {
	const {imageSize, crop, columns, layers} = architecture;
	const found: LayerGeometries = {
		augment: [{images, picture: [imageSize, imageSize], crop: [crop, crop]}],
		convolution: [],
		lrn: [],
		maxPool: [],
		linear: [],
	};
	for (const {spec, input, output} of layerShapes(architecture, images)) {
		switch (spec.type) {
			case 'conv2d': {
				const {kernels, size, stride, pads, reads} = spec;
				const groups = reads === 'own' ? columns : 1;
				found.convolution.push({input: fourOf(input), window: [kernels, size, size], stride, pads, groups});
				break;
			}
			case 'lrn': {
				const {size, alpha, beta, k} = spec;
				found.lrn.push({shape: fourOf(input), options: {columns, size, alpha, beta, k}});
				break;
			}
			case 'maxPool':
				found.maxPool.push({shape: fourOf(input), options: {size: spec.size, stride: spec.stride}});
				break;
			case 'linear': {
				const [, outputs = 0] = output;
				// The last one's outputs are all on the first device.
				const holders = spec === layers.at(-1) ? 1 : columns;
				found.linear.push([images, elementsOf(input.slice(1)) / columns, outputs / holders]);
				break;
			}
			case 'dropout':
				break;
		}
	}
	return found;
}

function fourOf([images = 0, height = 0, width = 0, channels = 0]: Shape): [number, number, number, number] {
	return [images, height, width, channels];
}
