// A net as ONNX's operators compute it, in inference.
import type {Activation} from '../device/operations.ts';
import type {Shape} from '../device/tensor.ts';
import type {Architecture} from '../net/architecture.ts';
import {lrnColumns, type LrnSpec} from '../net/layers/lrn.ts';
import {byKind, type ByKind} from '../net/layers/registry.ts';
import {layerShapes} from '../net/shapes.ts';
import {activationTypes, type AttributeValue, type Node} from './onnx.ts';

/** What a graph reads besides its pictures and the net's parameters. */
export interface Constant {
	readonly name: string;
	readonly shape: Shape;
	readonly values: Float32Array | BigInt64Array;
}

export const pictures = 'pictures';
export const probabilities = 'probabilities';
/** The whole mean image, [1, 3, imageSize, imageSize]. */
export const meanImage = 'mean';

/** Nodes in a row, each reading what the one before gives. */
class Chain {
	readonly nodes: Node[] = [];
	readonly constants: Constant[] = [];
	/** What the next node reads. */
	#last = pictures;

	add(
		operator: string,
		name: string,
		others: readonly string[] = [],
		attributes?: Record<string, AttributeValue>,
	): void {
		this.nodes.push({operator, name, inputs: [this.#last, ...others], output: name, ...(attributes && {attributes})});
		this.#last = name;
	}

	constant(name: string, shape: Shape, values: Constant['values']): string {
		this.constants.push({name, shape, values});
		return name;
	}

	integers(name: string, values: readonly number[]): string {
		return this.constant(name, [values.length], BigInt64Array.from(values, BigInt));
	}
}

/** The nodes, in their order, and the constants that they read; probabilities are the last one's output. */
export function nodesOf(architecture: Architecture): Pick<Chain, 'nodes' | 'constants'> {
	const chain = new Chain();
	subtractMean(chain, architecture);
	let isFlat = false;
	for (const {spec, input} of layerShapes(architecture, 1)) {
		if (spec.type === 'linear' && !isFlat) {
			chain.add('Flatten', 'flatten', [], {axis: 1});
			isFlat = true;
		}
		byKind(nodesOfLayer, spec, {chain, columns: architecture.columns, input});
	}
	chain.add('Softmax', probabilities, [], {axis: 1});
	return chain;
}

/** The net sees pictures less the mean image at the same place; test time's is the centre. */
function subtractMean(chain: Chain, {imageSize, crop}: Architecture): void {
	const start = Math.floor((imageSize - crop) / 2);
	const inputs = [
		meanImage,
		chain.integers('mean.begin', [start, start]),
		chain.integers('mean.end', [start + crop, start + crop]),
		chain.integers('mean.axes', [2, 3]),
	];
	chain.nodes.push({operator: 'Slice', name: 'mean.centre', inputs, output: 'mean.centre'});
	chain.add('Sub', 'centred', ['mean.centre']);
}

/** Where a layer stands: how many columns its net has, and what it reads. */
interface Standing {
	readonly chain: Chain;
	readonly columns: number;
	readonly input: Shape;
}

const nodesOfLayer: ByKind<[Standing], void> = {
	conv2d: ({name, size, stride, pads, reads, activation}, {chain, columns}) => {
		const group = reads === 'own' ? columns : 1;
		const attributes = {kernel_shape: [size, size], strides: [stride, stride], pads, group};
		chain.add('Conv', name, parametersOf(name), attributes);
		addActivation(chain, `${name}.${activation}`, activation);
	},
	lrn: addLrn,
	maxPool: ({name, size, stride}, {chain}) => {
		chain.add('MaxPool', name, [], {kernel_shape: [size, size], strides: [stride, stride]});
	},
	activate: ({name, activation}, {chain}) => {
		addActivation(chain, name, activation);
	},
	linear: ({name, activation}, {chain}) => {
		chain.add('Gemm', name, parametersOf(name), {transB: 1});
		addActivation(chain, `${name}.${activation}`, activation);
	},
	dropout: ({name, rate}, {chain}) => {
		chain.add('Dropout', name, [chain.constant(`${name}.ratio`, [], Float32Array.of(rate))]);
	},
};

const parametersOf = (name: string): readonly string[] => [`${name}.weight`, `${name}.bias`];

function addLrn(spec: LrnSpec, {chain, columns: all, input}: Standing): void {
	const {name, size, alpha, beta, k} = spec;
	const columns = lrnColumns(spec, all);
	const [, height = 0, width = 0, channels = 0] = input;
	const reshape = (to: string, count: number): void => {
		chain.add('Reshape', to, [chain.integers(`${to}.shape`, [-1, count, height, width])]);
	};
	// Each column's channels lie together: a column becomes a picture of its own.
	if (columns > 1) reshape(`${name}.columns`, channels / columns);
	// ONNX divides alpha by the size.
	chain.add('LRN', name, [], {size, alpha: {float: alpha * size}, beta: {float: beta}, bias: {float: k}});
	if (columns > 1) reshape(`${name}.whole`, channels);
}

function addActivation(chain: Chain, name: string, activation: Activation): void {
	if (activation === 'none') return;
	chain.add(activationTypes[activation], name);
}
