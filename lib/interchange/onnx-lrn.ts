// LRN as exporters without ONNX's operator write it: x / (mean of the squares in a window of channels * alpha + k) ^ beta.
import type {Normalization} from './net-builder.ts';
import type {OnnxGraph, OnnxNode} from './onnx-graph.ts';
import {perValue} from './tensor-bytes.ts';

/**
 * What only moves numbers to other dimensions. PyTorch asks in an If whether there is a dimension to squeeze: what the
 * condition is about is what the branches read.
 */
const moving = ['Reshape', 'Squeeze', 'Unsqueeze', 'Identity', 'If', 'Equal', 'Gather', 'Shape'];

/** The normalization of `value`, where its square is divided by; and what it gives. */
export function expandedLrn(
	graph: OnnxGraph,
	value: string,
): {normalization: Omit<Normalization, 'columns'>; output: string} | undefined {
	const division = graph.readersOf(value).find(({operator, inputs}) => operator === 'Div' && inputs[0] === value);
	const power = graph.makerOf(division?.inputs[1]);
	if (!division || power?.operator !== 'Pow') return undefined;
	const sum = expect(graph.makerOf(power.inputs[0]), 'Add');
	const product = expect(graph.makerOf(sum.inputs[0]), 'Mul');
	const average = expect(behindMoves(graph, product.inputs[0]), 'AveragePool');
	const pads: OnnxNode[] = [];
	let square = graph.makerOf(average.inputs[0]);
	for (let left = mostPads; square?.operator === 'Pad' && left > 0; --left) {
		pads.push(square);
		square = behindMoves(graph, square.inputs[0]);
	}
	const [size = 0, ...others] = average.integers('kernel_shape', []);
	const isWindow =
		others.join() === '1,1' &&
		average.integers('strides', [1, 1, 1]).every((stride) => stride === 1) &&
		average.integers('pads', []).every((each) => each === 0) &&
		expect(square, 'Mul').inputs.every((input) => input === value) &&
		isHalfWindow(graph, pads, size);
	if (!isWindow) throw new Error(`${average.inWords} is no mean of squares over a window of channels`);
	const alpha = perValue(graph.scalar(product.inputs[1]), size);
	const normalization = {size, alpha, beta: graph.scalar(power.inputs[1]), k: graph.scalar(sum.inputs[1])};
	return {normalization, output: division.outputs[0] ?? ''};
}

function expect(node: OnnxNode | undefined, operator: string): OnnxNode {
	if (node?.operator === operator) return node;
	const found = node?.inWords ?? 'a constant';
	throw new Error(`${found} stands where LRN in single operations has ${operator}`);
}

function behindMoves(graph: OnnxGraph, value: string | undefined): OnnxNode | undefined {
	let node = graph.makerOf(value);
	for (let left = moving.length; node && moving.includes(node.operator) && left > 0; --left) {
		node = graph.makerOf(node.inputs[0]);
	}
	return node;
}

/** PyTorch writes another one, that adds nothing. */
const mostPads = 2;

/** Whether half of a window is added before the first channel, and half after the last; PyTorch has last dimensions first. */
function isHalfWindow(graph: OnnxGraph, pads: readonly OnnxNode[], size: number): boolean {
	const half = (size - 1) / 2;
	const added = pads
		.flatMap((pad) => [...constantsBehind(graph, pad.inputs[1]), pad.integers('pads', [])])
		.filter((list) => list.length > 4 && list.some((length) => length !== 0));
	const [lists, asPyTorch] = [
		[0, 0, half, 0, 0, 0, 0, half, 0, 0],
		[0, 0, 0, 0, half, half],
	].map(String);
	return added.length === 1 && [lists, asPyTorch].includes(String(added[0]));
}

/** The lists of integers that a value is computed of. */
function constantsBehind(graph: OnnxGraph, value: string | undefined): number[][] {
	const lists: number[][] = [];
	let at: string | undefined = value;
	for (let left = mostSteps; at !== undefined && left > 0; --left) {
		const maker: OnnxNode | undefined = graph.makerOf(at);
		if (!maker) lists.push(graph.integers(at));
		at = maker?.inputs[0];
	}
	return lists;
}

/** From pads to the constant that they are computed of, through Cast, Reshape, Transpose, Slice, Reshape and Concat. */
const mostSteps = 8;
