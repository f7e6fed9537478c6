// What each of ONNX's operators is among the layers of our nets.
import {elementsOf} from '../device/memory.ts';
import {nonlinearities} from '../device/operations.ts';
import {NetBuilder, type FileTensor} from './net-builder.ts';
import {activationTypes} from './onnx.ts';
import type {OnnxGraph, OnnxNode} from './onnx-graph.ts';
import {perValue} from './tensor-bytes.ts';

/** How far a graph has been followed. */
export interface Walk {
	readonly graph: OnnxGraph;
	readonly builder: NetBuilder;
	readonly crop: number;
	/** Parts of the channels that have been put one after the other, as pictures of their own. */
	columns: number;
	/** What is subtracted from pictures, and what they are divided by then. */
	mean: FileTensor | undefined;
	divisor: FileTensor | undefined;
	/** Of the whole pictures, where the mean image's centre is taken. */
	imageSize: number | undefined;
}

/** @throws an error that says what a node must have for a net of ours. */
export function require(node: OnnxNode, is: boolean, expected: string): void {
	if (!is) throw new Error(`${node.inWords} must have ${expected}`);
}

/** The layer's name, where the file is ours. */
function nameOf(node: OnnxNode, {graph}: Walk): string | undefined {
	return graph.isOurs ? node.name : undefined;
}

/** The only number of a list that has one for each side. */
function square(node: OnnxNode, attribute: string, whereMissing: readonly number[]): number {
	const [first = 0, ...others] = node.integers(attribute, whereMissing);
	require(node, others.every((other) => other === first), `${attribute} the same on all sides`);
	return first;
}

function padsOf(node: OnnxNode): readonly number[] {
	const mode = node.text('auto_pad');
	require(node, ['', 'NOTSET', 'VALID'].includes(mode), 'pads in numbers');
	const pads = node.integers('pads', [0, 0, 0, 0]);
	require(node, pads.length === 4, 'four pads');
	return pads;
}

type Operator = (node: OnnxNode, walk: Walk) => void;

const activations = nonlinearities.map((activation): [string, Operator] => [
	activationTypes[activation],
	(node, walk) => walk.builder.activation(activation, nameOf(node, walk)),
]);

export const operators: ReadonlyMap<string, Operator> = new Map([
	...activations,
	...Object.entries<Operator>({
		Sub,
		Div,
		Conv,
		LRN,
		MaxPool,
		AveragePool,
		Flatten,
		Reshape,
		Gemm,
		Dropout,
		Softmax,
		Identity,
	}),
]);

function Sub(node: OnnxNode, walk: Walk): void {
	const {graph, builder, crop} = walk;
	require(node, builder.isEmpty && !walk.mean && !walk.divisor, 'a place before the first layer');
	const [, subtracted] = node.inputs;
	const slice = graph.makerOf(subtracted);
	walk.mean = graph.tensor(slice ? slice.inputs[0] : subtracted);
	if (!slice) return;
	const [, begin, end, axes] = slice.inputs;
	const [side = 0] = walk.mean.shape.slice(-1);
	const start = Math.floor((side - crop) / 2);
	const isCentre =
		slice.operator === 'Slice' &&
		graph.integers(begin).join() === [start, start].join() &&
		graph.integers(end).join() === [start + crop, start + crop].join() &&
		graph.integers(axes).join() === '2,3';
	walk.imageSize = side;
	require(slice, isCentre, "the mean image's centre, as large as pictures are");
}

function Div(node: OnnxNode, walk: Walk): void {
	require(node, walk.builder.isEmpty && !walk.divisor, 'a place before the first layer');
	walk.divisor = walk.graph.tensor(node.inputs[1]);
}

function Conv(node: OnnxNode, walk: Walk): void {
	const {graph, builder} = walk;
	const [, weight, bias] = node.inputs;
	require(node, square(node, 'dilations', [1, 1]) === 1, 'no dilations');
	const facts = {
		weight: graph.tensor(weight),
		bias: bias === undefined ? undefined : graph.tensor(bias),
		stride: square(node, 'strides', [1, 1]),
		pads: padsOf(node),
		groups: node.integer('group', 1),
	};
	require(node, facts.weight.shape.length === 4, 'weights of four dimensions');
	builder.convolution(facts, nameOf(node, walk));
}

function LRN(node: OnnxNode, walk: Walk): void {
	const size = node.integer('size', 0);
	const normalization = {
		size,
		alpha: perValue(node.float('alpha', 1e-4), size),
		beta: node.float('beta', 0.75),
		k: node.float('bias', 1),
		columns: walk.columns,
	};
	walk.builder.normalization(normalization, nameOf(node, walk));
}

function MaxPool(node: OnnxNode, walk: Walk): void {
	const size = square(node, 'kernel_shape', [0]);
	const stride = square(node, 'strides', [1]);
	const [top = 0, left = 0, bottom = 0, right = 0] = padsOf(node);
	require(node, top === 0 &&
		left === 0 &&
		bottom === right, 'no pads above and on the left, and the same below and on the right');
	require(node, square(node, 'dilations', [1, 1]) === 1, 'no dilations');
	const round = node.integer('ceil_mode', 0) === 1 ? Math.ceil : Math.floor;
	const windows = (pixels: number): number => round((pixels + bottom - size) / stride) + 1;
	walk.builder.pooling({size, stride, windows}, nameOf(node, walk));
}

/** How PyTorch writes an adaptive pooling that changes nothing. */
function AveragePool(node: OnnxNode): void {
	require(node, elementsOf(node.integers('kernel_shape', [0])) === 1, 'a kernel of one pixel');
}

function Flatten(node: OnnxNode): void {
	require(node, node.integer('axis', 1) === 1, 'the axis 1');
}

/** Flattens, or puts columns one after the other for LRN, or together again. */
function Reshape(node: OnnxNode, walk: Walk): void {
	const {graph, builder} = walk;
	const [, shape] = node.inputs;
	const to = shape === undefined ? node.integers('shape', []) : graph.integers(shape);
	const [, height = 0, width = 0, channels = 0] = builder.shape;
	if (to.length === 2) {
		require(node, to[1] === -1 ||
			to[1] === elementsOf(builder.shape), 'all features of a picture in its second dimension');
		return;
	}
	const [pictures, part = 0, ...sides] = to;
	require(node, pictures === -1 && sides.join() === [height, width].join(), 'the sides as they are, or two dimensions');
	const columns = channels / part;
	require(node, columns === 1 || (columns === 2 && walk.columns === 1), 'all channels, or half of them');
	walk.columns = columns;
}

function Gemm(node: OnnxNode, walk: Walk): void {
	const {graph, builder} = walk;
	const [, weight, bias] = node.inputs;
	require(node, node.float('alpha', 1) === 1 && node.float('beta', 1) === 1, 'no factors alpha and beta');
	require(node, node.integer('transA', 0) === 0, 'its first matrix as it is');
	const given = graph.tensor(weight);
	require(node, given.shape.length === 2, 'weights of two dimensions');
	const facts = {
		weight: node.integer('transB', 0) === 1 ? given : transposed(given),
		bias: bias === undefined ? undefined : graph.tensor(bias),
	};
	builder.linear(facts, nameOf(node, walk));
}

function transposed({shape: [inputs = 0, outputs = 0], values}: FileTensor): FileTensor {
	return {
		shape: [outputs, inputs],
		values: () => {
			const given = values();
			return given.map((_, at) => given[(at % inputs) * outputs + Math.floor(at / inputs)] ?? 0);
		},
	};
}

function Dropout(node: OnnxNode, walk: Walk): void {
	const [, ratio] = node.inputs;
	const rate = ratio === undefined ? node.float('ratio', 0.5) : walk.graph.scalar(ratio);
	walk.builder.dropout(rate, nameOf(node, walk));
}

function Softmax(node: OnnxNode): void {
	require(node, [1, -1].includes(node.integer('axis', 1)), 'the axis 1');
}

function Identity(): void {
	// as it says
}
