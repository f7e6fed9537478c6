import {fields, oneOf} from '../../base/check.ts';
import {native} from '../../device/native.ts';
import {nonlinearities, type Nonlinearity} from '../../device/operations.ts';
import {layerName, type LayerKind, type NamedLayer} from './kind.ts';
import {partsOf, sideBySide, type Layer, type LayerPlan, type LayerTensors, type Layout} from './layer.ts';

/** An activation apart from the layer before it, where something is to come in between. */
export interface ActivateSpec extends NamedLayer<'activate'> {
	/** What it applies. */
	readonly activation: Nonlinearity;
}

export const activate: LayerKind<ActivateSpec> = {
	check: fields<ActivateSpec>({type: oneOf(['activate']), name: layerName, activation: oneOf(nonlinearities)}),
	readsPixels: false,
	outputShape: (_, input) => input,
	place: (spec) => new Activate(spec),
};

/** ReLU, tanh or sigmoid, apart from the layer whose outputs it reads.                                      paper 3.1 */
class Activate implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = true;
	readonly trainingOnly = false;
	readonly #activation;

	constructor({name, activation}: ActivateSpec) {
		this.name = name;
		this.#activation = activation;
	}

	output(input: Layout): Layout {
		return input;
	}

	plan(tensors: LayerTensors): LayerPlan {
		const activation = this.#activation;
		return sideBySide(
			partsOf(tensors).map(({input, output, outputGradient, inputGradient}) => ({
				forward: () => native.activate({input, output, activation}),
				backward: () => {
					if (!outputGradient || !inputGradient) return;
					native.activateBackward({output, outputGradient, inputGradient, activation});
				},
			})),
		);
	}
}
