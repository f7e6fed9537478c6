// Places the columns of an architecture on devices.
import type {Architecture} from './architecture.ts';
import {AlexNetError} from '../base/errors.ts';
import type {Layer, Layout, Placement} from './layers/layer.ts';
import {kindOf} from './layers/registry.ts';
import type {Memory} from '../device/memory.ts';
import type {DataType} from '../device/tensor.ts';

/**
 * One device holds both columns as one NHWC tensor with column 0's channels first: columns are groups of a convolution,
 * LRN looks at each by itself, and a layer that reads both is an ordinary layer. Two devices hold a column each; they meet
 * in the layers that read both, where each sends its column to the other (lib/net/layers/product.ts). The logits are on the
 * first device.                                                                                  paper 3.2, 3.5, figure 2
 *
 * @param memories one a device
 * @param learns whether a layer, by its name, has momentum and gradients
 */
export function placeColumns(
	architecture: Architecture,
	memories: readonly Memory[],
	{precision, tf32 = false}: {precision: DataType; tf32?: boolean},
	seed: number,
	learns: Placement['learns'] = () => true,
): readonly Layer[] {
	const placement = {memories, columns: architecture.columns, precision, tf32, learns, seed};
	const layers: Layer[] = [];
	let layout = pictures(1, architecture.crop, memories.length);
	for (const [place, spec] of architecture.layers.entries()) {
		const ordinal = architecture.layers.slice(0, place).filter(({type}) => type === spec.type).length;
		const isLast = place === architecture.layers.length - 1;
		const layer = kindOf(spec).place(spec, {...placement, ordinal, isLast}, layout);
		const output = layer.output(layout);
		if (output.shapes.flat().some((dimension) => dimension < 1)) {
			throw new AlexNetError(
				'ALEXNET_SHAPE',
				`${spec.name} has nothing to read: its input is [${(layout.shapes[0] ?? []).join(', ')}]. Use a larger crop.`,
			);
		}
		layers.push(layer);
		layout = output;
	}
	return layers;
}

/** The net's input: every device sees the whole pictures. */
export function pictures(count: number, crop: number, devices: number): Layout {
	return {shapes: Array.from({length: devices}, () => [count, crop, crop, 3]), copies: true};
}
