// The shapes of a net's layers, for checks of operations at their real size.
import type {Architecture} from '../../net/architecture.ts';
import {lrnColumns} from '../../net/layers/lrn.ts';
import {byKind, type ByKind} from '../../net/layers/registry.ts';
import {layerShapes, type ShapedLayer} from '../../net/shapes.ts';
import {elementsOf} from '../../device/memory.ts';
import type {Shape} from '../../device/tensor.ts';
import type {AugmentGeometry} from '../reference/augment.ts';
import type {ConvGeometry} from '../reference/conv2d.ts';
import type {LinearGeometry} from '../reference/linear.ts';
import type {LrnMaxPoolGeometry} from '../reference/lrn-max-pool.ts';
import type {LrnGeometry} from '../reference/lrn.ts';
import type {PoolGeometry} from '../reference/max-pool.ts';

export interface LayerGeometries {
	readonly augment: AugmentGeometry[];
	readonly convolution: ConvGeometry[];
	readonly lrn: LrnGeometry[];
	readonly maxPool: PoolGeometry[];
	/** Of an LRN layer with the max pooling above it. */
	readonly lrnMaxPool: LrnMaxPoolGeometry[];
	readonly linear: LinearGeometry[];
}

interface Place extends ShapedLayer {
	readonly columns: number;
}

/** With both columns on one device; of a linear layer, what one of two devices multiplies at a time. */
const geometriesOf: ByKind<[Place], Partial<LayerGeometries>> = {
	conv2d: ({kernels, size, stride, pads, reads}, {input, columns}) => {
		const groups = reads === 'own' ? columns : 1;
		return {convolution: [{input: fourOf(input), window: [kernels, size, size], stride, pads, groups}]};
	},
	lrn: (spec, {input, columns}) => {
		const {size, alpha, beta, k} = spec;
		const options = {columns: lrnColumns(spec, columns), size, alpha, beta, k};
		return {lrn: [{shape: fourOf(input), options}]};
	},
	maxPool: ({size, stride}, {input}) => ({maxPool: [{shape: fourOf(input), options: {size, stride}}]}),
	linear: ({outputs}, {input: [images = 0, ...features], columns, isLast}) => {
		// The last one's outputs are all on the first device.
		const holders = isLast ? 1 : columns;
		return {linear: [[images, elementsOf(features) / columns, outputs / holders]]};
	},
	activate: () => ({}),
	dropout: () => ({}),
};

export function layerGeometries(architecture: Architecture, images: number): LayerGeometries {
	const {imageSize, crop, columns} = architecture;
	const found = layerShapes(architecture, images).map((layer) => byKind(geometriesOf, layer.spec, {...layer, columns}));
	return {
		augment: [{images, picture: [imageSize, imageSize], crop: [crop, crop]}],
		convolution: found.flatMap(({convolution = []}) => convolution),
		lrn: found.flatMap(({lrn = []}) => lrn),
		maxPool: found.flatMap(({maxPool = []}) => maxPool),
		lrnMaxPool: found.flatMap(({lrn: [lrn] = []}, index) =>
			(found[index + 1]?.maxPool ?? []).flatMap(({options: pool}) =>
				lrn ? [{shape: lrn.shape, lrn: lrn.options, pool}] : [],
			),
		),
		linear: found.flatMap(({linear = []}) => linear),
	};
}

function fourOf([images = 0, height = 0, width = 0, channels = 0]: Shape): [number, number, number, number] {
	return [images, height, width, channels];
}
