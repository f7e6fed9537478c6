// Places the columns of an architecture on devices.
import type {Architecture, LayerSpec} from './architecture.ts';
import {AlexNetError} from './errors.ts';
import {Conv2d} from './layers/conv2d.ts';
import {Dropout} from './layers/dropout.ts';
import type {Layer} from './layers/layer.ts';
import {Linear} from './layers/linear.ts';
import {Lrn} from './layers/lrn.ts';
import {MaxPool} from './layers/max-pool.ts';
import type {Memory} from './memory.ts';
import type {DataType, Shape} from './native.ts';

/**
 * Both columns on one device, as one NHWC tensor with column 0's channels first: columns are groups of a convolution,
 * LRN looks at each by itself, and a layer that reads both is an ordinary layer. No exchange is needed.
 */
export function placeOnOneDevice(
	architecture: Architecture,
	memory: Memory,
	precision: DataType,
	seed: number,
): readonly Layer[] {
	const layers: Layer[] = [];
	let shape: Shape = [1, architecture.crop, architecture.crop, 3];
	let dropouts = 0;
	const place = (spec: LayerSpec): Layer => {
		switch (spec.type) {
			case 'conv2d':
				return new Conv2d(memory, spec, shape, architecture.columns, precision);
			case 'lrn':
				return new Lrn(spec, architecture.columns);
			case 'maxPool':
				return new MaxPool(spec);
			case 'linear':
				return new Linear(memory, spec, shape, precision);
			case 'dropout':
				return new Dropout(spec, seed, dropouts++);
		}
	};
	for (const spec of architecture.layers) {
		const layer = place(spec);
		const output = layer.outputShape(shape);
		if (output.some((dimension) => dimension < 1)) {
			throw new AlexNetError(
				'ALEXNET_SHAPE',
				`${spec.name} has nothing to read: its input is [${shape.join(', ')}]. Use a larger crop.`,
			);
		}
		layers.push(layer);
		shape = output;
	}
	return layers;
}
