// An ONNX graph, followed from its pictures to its classes.
import {shortened} from '../base/check.ts';
import {NetBuilder} from './net-builder.ts';
import {OnnxGraph} from './onnx-graph.ts';
import {operators, require, type Walk} from './onnx-operators.ts';
import {expandedLrn} from './onnx-lrn.ts';
import type {Message} from './protobuf.ts';
import type {ReadNet} from './read-net.ts';

/**
 * @param crop side of the pictures that the net is to see; the graph's where left out
 * @throws an error that names the node that no net of ours has.
 */
export function readOnnx(model: Message, crop?: number): ReadNet {
	const graph = new OnnxGraph(model);
	const [, , height = 0, width = 0] = graph.input.dimensions;
	const side = crop ?? height;
	if (crop === undefined && (height < 1 || height !== width)) {
		throw new Error(`its pictures are ${height} x ${width}; say which crop it is to see`);
	}
	const walk: Walk = {
		graph,
		builder: new NetBuilder(side),
		crop: side,
		columns: 1,
		mean: undefined,
		divisor: undefined,
		imageSize: undefined,
	};
	let value = graph.input.name;
	// A graph that goes round in circles ends, too.
	for (let left = graph.nodes.length; left > 0 && graph.readersOf(value).length > 0; --left)
		value = follow(walk, value);
	if (!graph.outputs.includes(value)) throw new Error('its pictures do not lead to an output');
	const {metadata} = graph;
	const {mean, divisor, imageSize} = walk;
	return {...walk.builder.build(), mean, divisor, imageSize, labels: metadata.get('labels'), pca: metadata.get('pca')};
}

/** @returns what the layer that reads `value` gives */
function follow(walk: Walk, value: string): string {
	const {graph, builder} = walk;
	const lrn = expandedLrn(graph, value);
	if (lrn) {
		builder.normalization({...lrn.normalization, columns: walk.columns});
		return lrn.output;
	}
	const readers = graph.readersOf(value);
	const [node] = readers;
	const names = readers.map(({operator}) => operator).join(', ');
	if (!node || readers.length > 1) {
		throw new Error(
			`${shortened(value, 40)} goes to ${shortened(names)}, where a net of ours has one layer after the other`,
		);
	}
	const read = operators.get(node.operator);
	if (!read)
		throw new Error(`${node.inWords} is no layer of an AlexNet; there are ${[...operators.keys()].join(', ')}`);
	require(node, node.inputs[0] === value, 'what comes before as its first input');
	require(node, walk.columns === 1 || ['LRN', 'Reshape'].includes(node.operator), 'all channels together');
	read(node, walk);
	return node.outputs[0] ?? '';
}
