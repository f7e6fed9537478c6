import {fields, integer, number, oneOf, optional, where} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';
import {native} from '../../device/native.ts';
import type {LrnOptions} from '../../device/operations.ts';
import {layerName, type LayerKind, type NamedLayer, type Reads} from './kind.ts';
import {
	partsOf,
	sideBySide,
	type Layer,
	type LayerPlan,
	type LayerTensors,
	type Layout,
	type Placement,
} from './layer.ts';
import {LrnMaxPool} from './lrn-max-pool.ts';
import {MaxPool} from './max-pool.ts';

/** Local response normalization. */
export interface LrnSpec extends NamedLayer<'lrn'>, Readonly<Omit<LrnOptions, 'columns'>> {
	/** Whether a window ends with its column or goes on into the other; left out, `own`. On two devices only `own`. */
	readonly reads?: Reads | undefined;
}

/** How many parts of the channels do not see each other, of a net that has so many columns. */
export const lrnColumns = ({reads}: LrnSpec, columns: number): number => (reads === 'both' ? 1 : columns);

export const lrn: LayerKind<LrnSpec> = {
	check: where(
		fields<LrnSpec>({
			...{type: oneOf(['lrn']), name: layerName, size: integer(1)},
			...{alpha: number(0), beta: number(0), k: number(0), reads: optional(oneOf<Reads>(['own', 'both']))},
		}),
		({size}) => size % 2 === 1,
		'a normalization of odd size',
	),
	readsPixels: true,
	outputShape: (_, input) => input,
	place: (spec, place) => new Lrn(place, spec),
};

/** Local response normalization across the channels of each column, or of both.                                        paper 3.3 */
class Lrn implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = false;
	readonly trainingOnly = false;
	readonly #options;

	constructor({columns, memories}: Placement, spec: LrnSpec) {
		const {name, size, alpha, beta, k} = spec;
		this.name = name;
		const parts = lrnColumns(spec, columns) / memories.length;
		if (parts < 1) {
			const message = `${name} normalizes across both columns, so they cannot be on a device each. Use one device.`;
			throw new AlexNetError('ALEXNET_ARGUMENT', message);
		}
		this.#options = {columns: parts, size, alpha, beta, k};
	}

	output(input: Layout): Layout {
		return input;
	}

	fuse(above: Layer): Layer | undefined {
		return above instanceof MaxPool ? new LrnMaxPool(this.name, this.#options, above.options, above) : undefined;
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
