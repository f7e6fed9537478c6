// A net as ONNX's operators compute it, in inference.
import type {Architecture, LayerSpec} from '../net/architecture.ts';
import {layerShapes, type ShapedLayer} from '../net/shapes.ts';
import type {AttributeValue, Node} from './onnx.ts';

/** What a graph reads besides its pictures and the net's parameters. */
export interface Constant {
	readonly name: string;
	readonly shape: readonly number[];
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

	integers(name: string, values: readonly number[]): string {
		this.constants.push({name, shape: [values.length], values: BigInt64Array.from(values, BigInt)});
		return name;
	}
}

/** The nodes, in their order, and the constants that they read; probabilities are the last one's output. */
export function nodesOf(architecture: Architecture): Pick<Chain, 'nodes' | 'constants'> {
	const chain = new Chain();
	subtractMean(chain, architecture);
	let isFlat = false;
	for (const layer of layerShapes(architecture, 1)) {
		if (layer.spec.type === 'linear' && !isFlat) {
			chain.add('Flatten', 'flatten', [], {axis: 1});
			isFlat = true;
		}
		addLayer(chain, layer, architecture.columns);
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

function addLayer(chain: Chain, {spec, input}: ShapedLayer, columns: number): void {
	const parameters = [`${spec.name}.weight`, `${spec.name}.bias`];
	switch (spec.type) {
		case 'conv2d': {
			const {size, stride, pads, reads} = spec;
			const group = reads === 'own' ? columns : 1;
			const attributes = {kernel_shape: [size, size], strides: [stride, stride], pads, group};
			chain.add('Conv', spec.name, parameters, attributes);
			addActivation(chain, spec);
			break;
		}
		case 'linear':
			chain.add('Gemm', spec.name, parameters, {transB: 1});
			addActivation(chain, spec);
			break;
		case 'lrn': {
			const {name, size, alpha, beta, k} = spec;
			const [, height = 0, width = 0, channels = 0] = input;
			const reshape = (to: string, count: number): void =>
				chain.add('Reshape', to, [chain.integers(`${to}.shape`, [-1, count, height, width])]);
			// Each column's channels lie together: a column becomes a picture of its own.
			if (columns > 1) reshape(`${name}.columns`, channels / columns);
			// ONNX divides alpha by the size.
			chain.add('LRN', name, [], {size, alpha: {float: alpha * size}, beta: {float: beta}, bias: {float: k}});
			if (columns > 1) reshape(`${name}.whole`, channels);
			break;
		}
		case 'maxPool': {
			const {name, size, stride} = spec;
			chain.add('MaxPool', name, [], {kernel_shape: [size, size], strides: [stride, stride]});
			break;
		}
		case 'dropout': {
			const ratio = `${spec.name}.ratio`;
			chain.constants.push({name: ratio, shape: [], values: Float32Array.of(spec.rate)});
			chain.add('Dropout', spec.name, [ratio]);
			break;
		}
	}
}

function addActivation(chain: Chain, {name, activation}: Extract<LayerSpec, {activation: unknown}>): void {
	if (activation === 'none') return;
	chain.add(activation === 'relu' ? 'Relu' : 'Tanh', `${name}.${activation}`);
}
