// The shapes of a net's layers, for checks of operations at their real size.
import type {Architecture} from '../../net/architecture.ts';
import {elementsOf} from '../../device/memory.ts';
import type {AugmentGeometry} from '../reference/augment.ts';
import {convOutputShape, type ConvGeometry} from '../reference/conv2d.ts';
import type {LinearGeometry} from '../reference/linear.ts';
import type {LrnGeometry} from '../reference/lrn.ts';
import {poolOutputShape, type PoolGeometry} from '../reference/max-pool.ts';

export interface LayerGeometries {
	readonly augment: AugmentGeometry[];
	readonly convolution: ConvGeometry[];
	readonly lrn: LrnGeometry[];
	readonly maxPool: PoolGeometry[];
	readonly linear: LinearGeometry[];
}

/** With both columns on one device; of a linear layer, what one of two devices multiplies at a time. */
export function layerGeometries({imageSize, crop, columns, layers}: Architecture, images: number): LayerGeometries {
	const found: LayerGeometries = {
		augment: [{images, picture: [imageSize, imageSize], crop: [crop, crop]}],
		convolution: [],
		lrn: [],
		maxPool: [],
		linear: [],
	};
	let shape: [number, number, number, number] = [images, crop, crop, 3];
	for (const layer of layers) {
		switch (layer.type) {
			case 'conv2d': {
				const {kernels, size, stride, pads, reads} = layer;
				const groups = reads === 'own' ? columns : 1;
				const geometry = {input: shape, window: [kernels, size, size], stride, pads, groups} as const;
				found.convolution.push(geometry);
				shape = convOutputShape(geometry);
				break;
			}
			case 'lrn': {
				const {size, alpha, beta, k} = layer;
				found.lrn.push({shape, options: {columns, size, alpha, beta, k}});
				break;
			}
			case 'maxPool': {
				const {size, stride} = layer;
				found.maxPool.push({shape, options: {size, stride}});
				shape = poolOutputShape(shape, {size, stride});
				break;
			}
			case 'linear':
				// The last one's outputs are all on the first device.
				found.linear.push([
					images,
					elementsOf(shape.slice(1)) / columns,
					layer.outputs / (layer === layers.at(-1) ? 1 : columns),
				]);
				shape = [images, 1, 1, layer.outputs];
				break;
			case 'dropout':
				break;
		}
	}
	return found;
}
