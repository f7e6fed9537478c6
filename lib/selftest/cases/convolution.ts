import type {Activation} from '../../device/native.ts';
import type {RealType} from '../bfloat16.ts';
import {close, inWords, type OperationCase} from '../operation-case.ts';
import {inTurns} from '../pieces.ts';
import {activated} from '../reference/activate.ts';
import {
	conv2d,
	conv2dBackwardInput,
	conv2dBackwardWeights,
	convOutputShape,
	convWeightShape,
	product,
	type ConvGeometry,
} from '../reference/conv2d.ts';
import {accumulation, tanhRoundings} from '../tolerance.ts';

interface Fused {
	readonly activation?: Activation;
	readonly hasAddend?: boolean;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
	/** Of the forward pass; the type of the input, where not said. */
	readonly outputType?: RealType;
}

type Options = ConvGeometry & Pick<OperationCase, 'fillsGpu' | 'misaligned'>;

const square = (pad: number): [number, number, number, number] => [pad, pad, pad, pad];
const plain = {stride: 1, pads: square(1), groups: 1} as const;
const first = {stride: 4, pads: [0, 0, 3, 3], groups: 1} as const;
const onePixel = {stride: 1, pads: square(0), groups: 1} as const;

/** The net's layers on small pictures, and odd sizes of everything. */
const small: readonly Options[] = [
	{...first, input: [2, 28, 24, 3], window: [96, 11, 11]},
	{...first, input: [1, 24, 28, 3], window: [48, 11, 11]},
	{...first, input: [1, 24, 20, 3], window: [50, 11, 11]},
	{input: [1, 3, 4, 96], window: [256, 5, 5], stride: 1, pads: square(2), groups: 2},
	{...plain, input: [1, 2, 3, 256], window: [384, 3, 3]},
	{...plain, input: [2, 3, 2, 384], window: [192, 3, 3], groups: 2},
	{...plain, input: [3, 13, 13, 16], window: [24, 3, 3]},
	{...plain, input: [3, 7, 5, 21], window: [13, 3, 3]},
	{input: [2, 6, 7, 10], window: [14, 5, 5], stride: 1, pads: square(2), groups: 2},
	{input: [2, 7, 6, 8], window: [8, 4, 3], stride: 2, pads: [1, 0, 2, 3], groups: 1},
	{...plain, input: [2, 5, 5, 16], window: [24, 3, 3], misaligned: true},
];

const fusions: readonly Fused[] = [
	{activation: 'relu'},
	{activation: 'tanh'},
	{activation: 'relu', hasAddend: true},
	{activation: 'relu', notFinite: true},
	{activation: 'tanh', notFinite: true},
	{outputType: 'float32', hasAddend: true},
];

/** Products of at least 26 x 8 tiles of 128 x 128, so that every GPU takes its large tiles; not deep, to be quick. */
const filling = {
	forward: {...onePixel, input: [1, 64, 52, 16], window: [1024, 1, 1], fillsGpu: true},
	backwardInput: {...onePixel, input: [1, 64, 52, 1024], window: [16, 1, 1], fillsGpu: true},
	backwardWeights: {...onePixel, input: [1, 4, 4, 3328], window: [1024, 1, 1], fillsGpu: true},
} as const satisfies Record<string, Options>;

/** @param layers a net's convolutions, from its pictures up, to check besides the small ones */
export function convolutionCases(type: RealType, layers: readonly ConvGeometry[]): OperationCase[] {
	const all: Options[] = [...small, ...layers];
	const aboveFirst = layers.slice(1); // no net asks for the gradient of its pictures
	// An output that is smaller than input and weights, and one that is larger: a device may treat them differently. An
	// even number of channels: oneDNN multiplies bf16 in pairs, and the partner of an odd one is the next pixel's first,
	// times zero, to which a NaN spreads.
	const fused: Options[] = [
		{...plain, input: [2, 5, 5, 16], window: [24, 3, 3]},
		{...onePixel, input: [2, 9, 9, 6], window: [40, 1, 1]},
	];
	return [
		...[...all, filling.forward].map((geometry) => forward(type, geometry, {})),
		...fused.flatMap((geometry) => fusions.map((fusion) => forward(type, geometry, fusion))),
		...[...small, ...aboveFirst, filling.backwardInput].map((geometry) => backwardInput(type, geometry)),
		...[...all, filling.backwardWeights].map((geometry) => backwardWeights(type, geometry)),
	];
}

function describe({input, window, stride, groups, misaligned}: Options): string {
	const [kernels, ...size] = window;
	const parts = [`${inWords(input)}, ${kernels} kernels ${inWords(size)}`];
	if (stride > 1) parts.push(`stride ${stride}`);
	if (groups > 1) parts.push(`${groups} groups`);
	if (misaligned) parts.push('views');
	return parts.join(', ');
}

function common(geometry: Options, type: RealType): Omit<OperationCase, 'operation' | 'prepare'> {
	return {title: describe(geometry), type, fillsGpu: geometry.fillsGpu, misaligned: geometry.misaligned};
}

function forward(type: RealType, geometry: Options, fused: Fused): OperationCase {
	const {activation = 'none', hasAddend = false, notFinite, outputType = type} = fused;
	const {stride, pads, groups, window} = geometry;
	const [weightShape, outputShape] = [convWeightShape(geometry), convOutputShape(geometry)];
	const extras = [
		activation === 'none' ? [] : activation,
		hasAddend ? 'addend' : [],
		notFinite ? 'NaN and infinities' : [],
		outputType === type ? [] : 'to fp32',
	];
	return {
		...common(geometry, type),
		operation: 'conv2d',
		title: [describe(geometry), ...extras.flat()].join(', '),
		prepare: async (random) => {
			const inputs = random.values(product(geometry.input), 1, type, notFinite);
			const weights = random.values(product(weightShape), 2 / Math.sqrt(product(weightShape) / window[0]), type);
			const bias = random.values(window[0], 1, 'float32');
			const addends = hasAddend ? random.values(product(outputShape), 1, 'float32') : undefined;
			const sums = await inTurns(conv2d(geometry, inputs, weights, bias));
			addends?.forEach((term, index) => sums.add(index, term));
			const expected = activated(activation, sums);
			const extra = activation === 'tanh' ? tanhRoundings : 0;
			return (bench, operations) => {
				const output = bench.output(outputShape, outputType);
				const tensors = {
					input: bench.input(geometry.input, type, inputs),
					weights: bench.input(weightShape, type, weights),
					bias: bench.input([window[0]], 'float32', bias),
					addend: addends && bench.input(outputShape, 'float32', addends),
				};
				return {
					call: () => operations.conv2d({...tensors, output, stride, pads, groups, activation}),
					outputs: [close('output', output, expected, outputType, (count) => accumulation(count) + extra)],
				};
			};
		},
	};
}

function backwardInput(type: RealType, geometry: Options): OperationCase {
	const {stride, pads, groups} = geometry;
	const [weightShape, outputShape] = [convWeightShape(geometry), convOutputShape(geometry)];
	return {
		...common(geometry, type),
		operation: 'conv2dBackwardInput',
		prepare: async (random) => {
			const weights = random.values(product(weightShape), 1, type);
			const gradients = random.values(product(outputShape), 1, type);
			const expected = await inTurns(conv2dBackwardInput(geometry, gradients, weights));
			return (bench, operations) => {
				const inputGradient = bench.output(geometry.input, type);
				const tensors = {
					outputGradient: bench.input(outputShape, type, gradients),
					weights: bench.input(weightShape, type, weights),
				};
				return {
					call: () => operations.conv2dBackwardInput({...tensors, inputGradient, stride, pads, groups}),
					outputs: [close('inputGradient', inputGradient, expected, type)],
				};
			};
		},
	};
}

function backwardWeights(type: RealType, geometry: Options): OperationCase {
	const {stride, pads, groups, window} = geometry;
	const [weightShape, outputShape] = [convWeightShape(geometry), convOutputShape(geometry)];
	return {
		...common(geometry, type),
		operation: 'conv2dBackwardWeights',
		prepare: async (random) => {
			const inputs = random.values(product(geometry.input), 1, type);
			const gradients = random.values(product(outputShape), 1, type);
			const expected = await inTurns(conv2dBackwardWeights(geometry, inputs, gradients));
			return (bench, operations) => {
				const weightGradient = bench.output(weightShape, 'float32');
				const biasGradient = bench.output([window[0]], 'float32');
				const tensors = {
					input: bench.input(geometry.input, type, inputs),
					outputGradient: bench.input(outputShape, type, gradients),
				};
				return {
					call: () =>
						operations.conv2dBackwardWeights({...tensors, weightGradient, biasGradient, stride, pads, groups}),
					outputs: [
						close('weightGradient', weightGradient, expected.weightGradient, 'float32'),
						close('biasGradient', biasGradient, expected.biasGradient, 'float32'),
					],
				};
			};
		},
	};
}
