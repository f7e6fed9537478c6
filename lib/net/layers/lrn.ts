import {fields, integer, number, oneOf, where} from '../../base/check.ts';
import {native, type LrnOptions} from '../../device/native.ts';
import {layerName, type LayerKind, type NamedLayer} from './kind.ts';
import {
	partsOf,
	sideBySide,
	type Layer,
	type LayerPlan,
	type LayerTensors,
	type Layout,
	type Placement,
} from './layer.ts';

/** LRN sees one column at a time. */
export type LrnSpec = NamedLayer<'lrn'> & Readonly<Omit<LrnOptions, 'columns'>>;

export const lrn: LayerKind<LrnSpec> = {
	check: where(
		fields<LrnSpec>({
			...{type: oneOf(['lrn']), name: layerName, size: integer(1)},
			...{alpha: number(0), beta: number(0), k: number(0)},
		}),
		({size}) => size % 2 === 1,
		'a normalization of odd size',
	),
	readsPixels: true,
	outputShape: (_, input) => input,
	place: (spec, place) => new Lrn(place, spec),
};

/** Local response normalization across the channels of each column.                                        paper 3.3 */
class Lrn implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #options;

	constructor({columns, memories}: Placement, {name, size, alpha, beta, k}: LrnSpec) {
		this.name = name;
		this.#options = {columns: columns / memories.length, size, alpha, beta, k};
	}

	output(input: Layout): Layout {
		return input;
	}

	plan(tensors: LayerTensors): LayerPlan {
		const options = this.#options;
		return sideBySide(
			partsOf(tensors).map(({memory, input, output, outputGradient, inputGradient}) => {
				const bytes = outputGradient ? native.lrnWorkspaceBytes({input, output, ...options}) : 0;
				const workspace = bytes > 0 ? memory.allocate([bytes], 'uint8') : undefined;
				return {
					forward: () => native.lrn({input, output, workspace, ...options}),
					backward: () => {
						if (!outputGradient || !inputGradient) return;
						native.lrnBackward({input, outputGradient, inputGradient, workspace, ...options});
					},
				};
			}),
		);
	}
}
