import type {ExecutionContext} from 'ava';
import type {Activation} from '../../lib/device/native.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes, type RealType} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {activated} from '../../lib/selftest/reference/activate.ts';
import {
	conv2d,
	conv2dBackwardInput,
	conv2dBackwardWeights,
	convOutputShape,
	convWeightShape,
	product,
	type ConvGeometry,
} from '../../lib/selftest/reference/conv2d.ts';
import {badArgument, badShape, badType, testRefusals} from '../helpers/refusals.ts';
import {accumulation, tanhRoundings} from '../../lib/selftest/tolerance.ts';
import {assertClose} from '../helpers/tolerance.ts';
import {atOnce} from '../helpers/at-once.ts';
import type {Workbench} from '../../lib/selftest/workbench.ts';

interface Case extends ConvGeometry {
	title: string;
	activation?: Activation;
	bias?: false;
	addend?: true;
}

const square = (pad: number): [number, number, number, number] => [pad, pad, pad, pad];

/** The first layer's windows of 11x11, which have kernels of their own on CUDA devices. */
const first = {stride: 4, pads: [0, 0, 3, 3], groups: 1} satisfies Partial<Case>;

const cases: Case[] = [
	// The layers of the network, on small pictures.
	{...first, title: 'conv1', input: [2, 28, 24, 3], window: [96, 11, 11]},
	{...first, title: 'conv1, one column', input: [1, 24, 28, 3], window: [48, 11, 11]},
	{...first, title: 'conv1, kernels off 4', input: [1, 24, 20, 3], window: [50, 11, 11]},
	{title: 'conv2', input: [2, 3, 4, 96], window: [256, 5, 5], stride: 1, pads: square(2), groups: 2},
	{title: 'conv3', input: [1, 2, 3, 256], window: [384, 3, 3], stride: 1, pads: square(1), groups: 1},
	{title: 'conv4', input: [3, 3, 2, 384], window: [192, 3, 3], stride: 1, pads: square(1), groups: 2},
	// Odd sizes, and tails of every dimension.
	{
		title: 'channels and kernels off 8',
		input: [3, 7, 5, 21],
		window: [13, 3, 3],
		stride: 1,
		pads: square(1),
		groups: 1,
	},
	{title: 'groups off 8', input: [2, 6, 7, 10], window: [14, 5, 5], stride: 1, pads: square(2), groups: 2},
	{title: 'three groups', input: [1, 5, 5, 9], window: [6, 3, 3], stride: 1, pads: square(1), groups: 3},
	{title: 'one kernel, one channel', input: [3, 6, 5, 1], window: [1, 3, 3], stride: 1, pads: square(1), groups: 1},
	{title: 'pictures of one pixel', input: [5, 1, 1, 8], window: [16, 3, 3], stride: 1, pads: square(1), groups: 1},
	{title: 'windows of one pixel', input: [1, 4, 3, 17], window: [9, 1, 1], stride: 1, pads: square(0), groups: 1},
	{title: 'the window is the picture', input: [3, 6, 6, 16], window: [24, 6, 6], stride: 1, pads: square(0), groups: 1},
	{title: 'four different pads', input: [2, 7, 6, 8], window: [8, 4, 3], stride: 2, pads: [1, 0, 2, 3], groups: 1},
	{
		title: 'pixels after the last window',
		input: [2, 8, 6, 8],
		window: [8, 3, 3],
		stride: 2,
		pads: square(0),
		groups: 1,
	},
	{title: 'pixels between windows', input: [2, 8, 8, 4], window: [8, 2, 2], stride: 3, pads: square(0), groups: 1},
	{title: 'a column of pixels', input: [2, 9, 1, 12], window: [20, 3, 1], stride: 1, pads: [1, 0, 1, 0], groups: 1},
	// What CUDA devices divide: large tiles where a GPU is small enough to be filled, and sums in parts.
	{title: 'large tiles', input: [2, 15, 9, 248], window: [240, 1, 1], stride: 1, pads: square(0), groups: 1},
	{title: 'many pixels', input: [3, 13, 13, 16], window: [24, 3, 3], stride: 1, pads: square(1), groups: 1},
	// What is fused.
	{...first, title: 'conv1, relu', input: [1, 16, 24, 3], window: [48, 11, 11], activation: 'relu'},
	{
		...first,
		title: 'conv1, tanh, addend',
		input: [1, 16, 24, 3],
		window: [50, 11, 11],
		activation: 'tanh',
		addend: true,
	},
	{
		...first,
		title: 'conv1, addend without bias',
		input: [1, 12, 16, 3],
		window: [7, 11, 11],
		bias: false,
		addend: true,
	},
	{title: 'relu', input: [2, 5, 5, 16], window: [24, 3, 3], stride: 1, pads: square(1), groups: 1, activation: 'relu'},
	{title: 'tanh', input: [2, 5, 5, 16], window: [24, 3, 3], stride: 1, pads: square(1), groups: 2, activation: 'tanh'},
	{title: 'no bias', input: [2, 5, 5, 16], window: [24, 3, 3], stride: 1, pads: square(1), groups: 1, bias: false},
	{
		title: 'relu without bias',
		input: [1, 5, 5, 16],
		window: [10, 3, 3],
		stride: 1,
		pads: square(1),
		groups: 2,
		activation: 'relu',
		bias: false,
	},
	{title: 'addend', input: [2, 5, 5, 16], window: [24, 3, 3], stride: 1, pads: square(1), groups: 1, addend: true},
	{
		title: 'addend, relu, off 8',
		input: [1, 5, 5, 11],
		window: [13, 3, 3],
		stride: 1,
		pads: square(1),
		groups: 1,
		activation: 'relu',
		addend: true,
	},
];

// Sums have one term for each product, one for the bias and one for the addend.

async function forward(
	t: ExecutionContext,
	bench: Workbench,
	{dataType, outputType}: {dataType: RealType; outputType: RealType},
	geometry: Case,
): Promise<void> {
	const {activation = 'none', stride, pads, groups} = geometry;
	const weightShape = convWeightShape(geometry);
	const kernels = geometry.window[0];
	const input = bench.random.values(product(geometry.input), 1, dataType);
	const weights = bench.random.values(product(weightShape), 2 / Math.sqrt(product(weightShape) / kernels), dataType);
	const bias = geometry.bias === false ? undefined : bench.random.values(kernels, 1, 'float32');
	const outputShape = convOutputShape(geometry);
	const addend = geometry.addend && bench.random.values(product(outputShape), 1, 'float32');
	const output = bench.output(outputShape, outputType);
	operations.conv2d({
		input: bench.input(geometry.input, dataType, input),
		weights: bench.input(weightShape, dataType, weights),
		bias: bias && bench.input([kernels], 'float32', bias),
		addend: addend && bench.input(outputShape, 'float32', addend),
		output,
		stride,
		pads,
		groups,
		activation,
	});
	const sums = atOnce(conv2d(geometry, input, weights, bias));
	addend?.forEach((term, index) => {
		sums.add(index, term);
	});
	const expected = activated(activation, sums);
	const extra = activation === 'tanh' ? tanhRoundings : 0;
	assertClose(t, 'output', await bench.read(output), expected, outputType, (count) => accumulation(count) + extra);
}

async function backward(t: ExecutionContext, bench: Workbench, dataType: RealType, geometry: Case): Promise<void> {
	const {stride, pads, groups} = geometry;
	const outputShape = convOutputShape(geometry);
	const weightShape = convWeightShape(geometry);
	const input = bench.random.values(product(geometry.input), 1, dataType);
	const weights = bench.random.values(product(weightShape), 1, dataType);
	const gradient = bench.random.values(product(outputShape), 1, dataType);
	const outputGradient = bench.input(outputShape, dataType, gradient);
	const inputGradient = bench.output(geometry.input, dataType);
	const weightGradient = bench.output(weightShape, 'float32');
	const biasGradient = geometry.bias === false ? undefined : bench.output([geometry.window[0]], 'float32');
	const weightTensor = bench.input(weightShape, dataType, weights);
	operations.conv2dBackwardInput({outputGradient, weights: weightTensor, inputGradient, stride, pads, groups});
	const inputTensor = bench.input(geometry.input, dataType, input);
	operations.conv2dBackwardWeights({
		input: inputTensor,
		outputGradient,
		weightGradient,
		biasGradient,
		stride,
		pads,
		groups,
	});
	const expectedInput = atOnce(conv2dBackwardInput(geometry, gradient, weights));
	const expected = atOnce(conv2dBackwardWeights(geometry, input, gradient));
	assertClose(t, 'inputGradient', await bench.read(inputGradient), expectedInput, dataType);
	assertClose(t, 'weightGradient', await bench.read(weightGradient), expected.weightGradient, 'float32');
	if (!biasGradient) return;
	assertClose(t, 'biasGradient', await bench.read(biasGradient), expected.biasGradient, 'float32');
}

for (const dataType of realTypes) {
	for (const geometry of cases) {
		for (const outputType of dataType === 'float32' ? [dataType] : realTypes) {
			forEachDevice(`conv2d ${dataType} to ${outputType}: ${geometry.title}`, (t, bench) =>
				forward(t, bench, {dataType, outputType}, geometry),
			);
		}
		if (geometry.activation || geometry.addend) continue; // fused into the forward pass only
		forEachDevice(`conv2d backward ${dataType}: ${geometry.title}`, (t, bench) =>
			backward(t, bench, dataType, geometry),
		);
	}
	const geometry = cases.find(({title}) => title === 'channels and kernels off 8')!;
	forEachDevice(
		`conv2d ${dataType}: views`,
		(t, bench) => forward(t, bench, {dataType, outputType: dataType}, geometry),
		{misaligned: true},
	);
	forEachDevice(`conv2d backward ${dataType}: views`, (t, bench) => backward(t, bench, dataType, geometry), {
		misaligned: true,
	});
}

const convolution = {stride: 1, pads: [1, 1, 1, 1], groups: 1};
const refusedConvolutions = [
	badArgument({stride: 0}, /stride and groups must be at least 1/),
	badArgument({groups: 0}, /stride and groups must be at least 1/),
	badArgument({groups: 3}, /3 groups must divide 8 channels and 6 kernels/),
	badArgument({groups: 4}, /4 groups must divide 8 channels and 6 kernels/),
	badArgument({stride: 1.5}, /stride must be an integer/),
	badArgument({stride: '1'}, /stride must be a finite number/),
	badArgument({pads: [1, 1, 1]}, /pads must be \[top, left, bottom, right\]/),
	badArgument({pads: undefined}, /pads must be an array of integers/),
	badArgument({pads: [1, 1, 0.5, 1]}, /pads must be an array of integers/),
	badArgument({pads: [-1, 1, 1, 1]}, /pads must not be negative/),
	badShape({pads: [2, 1, 1, 1]}, /must be \[2, 6, 4, 6\], got \[2, 5, 4, 6\]/),
	badShape({groups: 2}, /must be \[6, 3, 3, 4\], got \[6, 3, 3, 8\]/),
];

testRefusals('conv2d', {
	tensors: (make) => ({
		input: make([2, 5, 4, 8]),
		weights: make([6, 3, 3, 8]),
		bias: make([6]),
		addend: make([2, 5, 4, 6]),
		output: make([2, 5, 4, 6]),
	}),
	options: convolution,
	optional: ['bias', 'addend'],
	refused: [
		...refusedConvolutions,
		badArgument((make) => {
			const output = make([2, 5, 4, 6]);
			return {output, addend: output};
		}, /addend must not be output/),
		badArgument({activation: 'gelu'}, /activation must be 'none', 'relu' or 'tanh'/),
		badShape((make) => ({input: make([2, 1, 1, 8]), pads: [0, 1, 0, 1]}), /a window of 3x3 does not fit into/),
		badType((make) => ({weights: make([6, 3, 3, 8], 'bfloat16')}), /weights must be float32, got bfloat16/),
		badType((make) => ({bias: make([6], 'bfloat16')}), /bias must be float32, got bfloat16/),
	],
});
testRefusals('conv2dBackwardInput', {
	tensors: (make) => ({
		outputGradient: make([2, 5, 4, 6]),
		weights: make([6, 3, 3, 8]),
		inputGradient: make([2, 5, 4, 8]),
	}),
	options: convolution,
	refused: refusedConvolutions,
});
testRefusals('conv2dBackwardWeights', {
	tensors: (make) => ({
		input: make([2, 5, 4, 8]),
		outputGradient: make([2, 5, 4, 6]),
		weightGradient: make([6, 3, 3, 8]),
		biasGradient: make([6]),
	}),
	options: convolution,
	optional: ['biasGradient'],
	refused: [
		...refusedConvolutions,
		badType(
			(make) => ({weightGradient: make([6, 3, 3, 8], 'bfloat16')}),
			/weightGradient must be float32, got bfloat16/,
		),
	],
});
