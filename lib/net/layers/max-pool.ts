import {fields, integer, oneOf} from '../../base/check.ts';
import {native, type PoolOptions, type Shape} from '../../device/native.ts';
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

function outputShape(spec: MaxPoolSpec, [images = 0, height = 0, width = 0, channels = 0]: Shape): Shape {
	return [images, windowPlaces(height, spec), windowPlaces(width, spec), channels];
}

/** Max pooling; windows overlap where size exceeds stride.                                                  paper 3.4 */
class MaxPool implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #spec: MaxPoolSpec;

	constructor(spec: MaxPoolSpec) {
		this.name = spec.name;
		this.#spec = spec;
	}

	output(layout: Layout): Layout {
		return eachPart(layout, (shape) => outputShape(this.#spec, shape));
	}

	plan(tensors: LayerTensors): LayerPlan {
		const {size, stride} = this.#spec;
		const options = {size, stride};
		return sideBySide(
			partsOf(tensors).map(({memory, input, output, outputGradient, inputGradient}) => {
				const bytes = outputGradient ? native.maxPoolWorkspaceBytes({input, output, ...options}) : 0;
				const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
				return {
					forward: () => native.maxPool({input, output, workspace, ...options}),
					backward: () => {
						if (!outputGradient || !inputGradient || !workspace) return;
						native.maxPoolBackward({outputGradient, inputGradient, workspace, ...options});
					},
				};
			}),
		);
	}
}
