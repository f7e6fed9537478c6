import {fields, integer, oneOf} from '../../base/check.ts';
import {native} from '../../device/native.ts';
import type {PoolOptions} from '../../device/operations.ts';
import type {Shape} from '../../device/tensor.ts';
import {layerName, type LayerKind, type NamedLayer} from './kind.ts';
import {eachPart, partsOf, sideBySide, windowPlaces} from './layer.ts';
import type {Layer, LayerPlan, LayerTensors, Layout} from './layer.ts';

/** Windows of size x size; they overlap where the stride is smaller (paper 3.4). */
export type MaxPoolSpec = NamedLayer<'maxPool'> & Readonly<PoolOptions>;

export const maxPool: LayerKind<MaxPoolSpec> = {
	check: fields<MaxPoolSpec>({type: oneOf(['maxPool']), name: layerName, size: integer(1), stride: integer(1)}),
	readsPixels: true,
	outputShape,
	place: (spec) => new MaxPool(spec),
};

function outputShape(options: PoolOptions, [images = 0, height = 0, width = 0, channels = 0]: Shape): Shape {
	return [images, windowPlaces(height, options), windowPlaces(width, options), channels];
}

/** Max pooling; windows overlap where size exceeds stride.                                                  paper 3.4 */
export class MaxPool implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly fusesReluBelow = true;
	readonly options: Readonly<PoolOptions>;

	constructor({name, size, stride}: MaxPoolSpec) {
		this.name = name;
		this.options = {size, stride};
	}

	output(layout: Layout): Layout {
		return eachPart(layout, (shape) => outputShape(this.options, shape));
	}

	plan(tensors: LayerTensors): LayerPlan {
		const {options} = this;
		return sideBySide(
			partsOf(tensors).map(({memory, input, output, outputGradient, inputGradient}) => {
				const bytes = outputGradient ? native.maxPoolWorkspaceBytes({input, output, ...options}) : 0;
				const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
				const below = tensors.reluBelow ? ({activation: 'relu', output} as const) : {};
				return {
					forward: () => native.maxPool({input, output, workspace, ...options}),
					backward: () => {
						if (!outputGradient || !inputGradient || !workspace) return;
						native.maxPoolBackward({outputGradient, inputGradient, workspace, ...options, ...below});
					},
				};
			}),
		);
	}
}
