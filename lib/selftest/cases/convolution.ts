import {nonlinearities} from '../../device/operations.ts';
import type {RealType} from '../bfloat16.ts';
import {
	close,
	definedBy,
	extras,
	forTests,
	inTf32,
	inWords,
	type CasesOf,
	type OperationCase,
} from '../operation-case.ts';
import {inTurns} from '../pieces.ts';
import {activated, activationRoundings} from '../reference/activate.ts';
import {
	conv2d,
	conv2dBackwardInput,
	conv2dBackwardWeights,
	convOutputShape,
	convWeightShape,
	product,
	type ConvGeometry,
} from '../reference/conv2d.ts';
import {accumulation} from '../tolerance.ts';
import {gradientOutputs, type Fused} from './products.ts';

type Options = ConvGeometry & Pick<OperationCase, 'fillsGpu' | 'misaligned' | 'testsOnly' | 'tf32'>;

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

/** Tails of every dimension, and what CUDA devices divide: tiles where a GPU is small enough to be filled, and sums. */
const more: readonly Options[] = [
	{...plain, input: [2, 3, 4, 96], window: [256, 5, 5], pads: square(2), groups: 2},
	{...first, input: [1, 15, 17, 3], window: [48, 11, 11], pads: [2, 1, 3, 2]}, // padding that is no multiple of 4 bytes
	{...first, input: [2, 16, 19, 3], window: [16, 11, 11], pads: square(2)}, // nor are rows
	{...plain, input: [3, 3, 2, 384], window: [192, 3, 3], groups: 2},
	{...plain, input: [1, 5, 5, 9], window: [6, 3, 3], groups: 3},
	{...plain, input: [3, 6, 5, 1], window: [1, 3, 3]},
	{...plain, input: [5, 1, 1, 8], window: [16, 3, 3]},
	{...onePixel, input: [1, 4, 3, 17], window: [9, 1, 1]},
	{...onePixel, input: [3, 6, 6, 16], window: [24, 6, 6]}, // the window is the picture
	{...onePixel, input: [2, 8, 6, 8], window: [8, 3, 3], stride: 2}, // pixels after the last window
	{...onePixel, input: [2, 8, 8, 4], window: [8, 2, 2], stride: 3}, // pixels between windows
	{...plain, input: [2, 9, 1, 12], window: [20, 3, 1], pads: [1, 0, 1, 0]},
	{...onePixel, input: [2, 15, 9, 248], window: [240, 1, 1]},
	{...plain, input: [3, 7, 5, 21], window: [13, 3, 3], misaligned: true},
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

/**
 * One for each tile of the tensor cores' GEMM (cuda/gemm/mma/tiling.h), with tails: on a GPU of 4 multiprocessors these
 * get 64 x 64, 256 x 48, 128 x 96, 256 x 128, 128 x 128, 128 x 192 and 128 x 256.
 */
const wide = (kernels: number, ...size: [number, number, number]): Options => ({
	...plain,
	input: [...size, 16],
	window: [kernels, 3, 3],
});
const windows = [
	wide(48, 2, 18, 12),
	wide(48, 2, 20, 15),
	wide(96, 2, 20, 15),
	wide(128, 2, 20, 15),
	wide(256, 2, 20, 15),
	wide(184, 2, 25, 18),
	wide(1024, 1, 10, 10),
];
const tiled = {
	forward: windows,
	backwardInput: windows.map(({input: [images, height, width, channels], window: [kernels], ...rest}): Options => {
		return {...rest, input: [images, height, width, kernels], window: [channels, 3, 3]};
	}),
	backwardWeights: [
		...(
			[
				[64, 16],
				[128, 32],
				[128, 48],
				[128, 64],
				[128, 96],
				[256, 48],
			] as const
		).map(([kernels, channels]): Options => ({...plain, input: [1, 20, 15, channels], window: [kernels, 3, 3]})),
		{...onePixel, input: [2, 20, 15, 48], window: [1024, 1, 1]},
	],
} as const;

/**
 * An output that is smaller than input and weights, and one that is larger: a device may treat them differently. An even
 * number of channels: oneDNN multiplies bf16 in pairs, and the partner of an odd one is the next pixel's first, times
 * zero, to which a NaN spreads.
 */
const fused: readonly Options[] = [
	{...plain, input: [2, 5, 5, 16], window: [24, 3, 3]},
	{...onePixel, input: [2, 9, 9, 6], window: [40, 1, 1]},
];

const withFusions = (geometry: Options): (Options & Fused)[] => fusions.map((fusion) => ({...geometry, ...fusion}));

/** Fused with one shape each. */
const fusedOnce: readonly (Options & Fused)[] = [
	{...first, input: [1, 16, 24, 3], window: [48, 11, 11], activation: 'relu'},
	{...first, input: [1, 16, 24, 3], window: [50, 11, 11], activation: 'tanh', hasAddend: true},
	{...first, input: [1, 12, 16, 3], window: [7, 11, 11], hasBias: false, hasAddend: true},
	{...first, input: [1, 12, 16, 3], window: [9, 11, 11], activation: 'sigmoid'},
	{...plain, input: [2, 5, 5, 16], window: [24, 3, 3], groups: 2, activation: 'tanh'},
	{...plain, input: [2, 5, 5, 16], window: [24, 3, 3], activation: 'sigmoid', notFinite: true},
	{...plain, input: [2, 5, 5, 16], window: [24, 3, 3], hasBias: false},
	{...plain, input: [2, 5, 5, 16], window: [20, 3, 3], hasAddend: true},
	{...plain, input: [1, 5, 5, 16], window: [10, 3, 3], groups: 2, activation: 'relu', hasBias: false},
	{...plain, input: [1, 5, 5, 11], window: [13, 3, 3], activation: 'relu', hasAddend: true},
];

const geometries = [...small, ...forTests(more)];

/** What is for tensor cores: these, and in TF32 all others, too. */
const onTensorCores = (type: RealType, layers: readonly Options[], cases: readonly Options[]): readonly Options[] =>
	type === 'bfloat16' ? forTests(cases) : inTf32([...geometries, ...layers, ...forTests(cases)]);

/** `layers`: a net's convolutions, from its pictures up. */
export const convolutionCases: CasesOf<'conv2d' | 'conv2dBackwardInput' | 'conv2dBackwardWeights'> = {
	conv2d: (type, {convolution: layers}) => {
		const all = [
			...[...geometries, ...layers, filling.forward, ...onTensorCores(type, layers, tiled.forward)],
			...fused.flatMap(withFusions),
			...forTests(fusedOnce),
		];
		const fusedInTf32 = type === 'float32' ? inTf32(forTests([...fused.flatMap(withFusions), ...fusedOnce])) : [];
		// To fp32, too, as of a layer's first half; for fp32 that is what is there already.
		const activations = nonlinearities.map((activation) => ({...fused[0]!, activation}));
		const widened = type === 'bfloat16' ? forTests([...small, ...more, ...fusedOnce, ...activations]) : [];
		return [...all, ...fusedInTf32, ...widened.map((one) => ({...one, outputType: 'float32' as const}))].map((one) =>
			forward(type, one),
		);
	},
	conv2dBackwardInput: (type, {convolution: layers}) =>
		// No net asks for the gradient of its pictures.
		[
			...[...geometries, ...layers.slice(1), filling.backwardInput],
			...onTensorCores(type, layers.slice(1), tiled.backwardInput),
		].map((geometry) => backwardInput(type, geometry)),
	conv2dBackwardWeights: (type, {convolution: layers}) => [
		...[...geometries, ...layers, filling.backwardWeights, ...onTensorCores(type, layers, tiled.backwardWeights)].map(
			(geometry) => backwardWeights(type, geometry),
		),
		...forTests(fused).map((geometry) => backwardWeights(type, geometry, {hasBias: false})),
	],
};

function common(
	type: RealType,
	{input, window, stride, groups, misaligned, fillsGpu, testsOnly, tf32}: Options,
	{activation = 'none', hasBias = true, hasAddend, notFinite, outputType = type}: Fused = {},
): Omit<OperationCase, 'prepare'> {
	const [kernels, ...size] = window;
	const special = extras(
		stride > 1 && `stride ${stride}`,
		groups > 1 && `${groups} groups`,
		misaligned && 'views',
		activation !== 'none' && activation,
		!hasBias && 'no bias',
		hasAddend && 'addend',
		notFinite && 'NaN and infinities',
		outputType !== type && 'to fp32',
		tf32 && 'TF32',
	);
	const title = `${inWords(input)}, ${kernels} kernels ${inWords(size)}${special}`;
	return {title, type, misaligned, fillsGpu, testsOnly, tf32};
}

function forward(type: RealType, geometry: Options & Fused): OperationCase {
	const {activation = 'none', hasBias = true, hasAddend = false, notFinite, outputType = type, tf32 = false} = geometry;
	const {stride, pads, groups, window} = geometry;
	const [weightShape, outputShape] = [convWeightShape(geometry), convOutputShape(geometry)];
	return {
		...common(type, geometry, geometry),
		prepare: async (random) => {
			const inputs = random.values(product(geometry.input), 1, type, notFinite);
			const weights = random.values(product(weightShape), 2 / Math.sqrt(product(weightShape) / window[0]), type);
			const bias = hasBias ? random.values(window[0], 1, 'float32') : undefined;
			const addends = hasAddend ? random.values(product(outputShape), 1, 'float32') : undefined;
			const expected = await definedBy(tf32, [inputs, weights], async (...operands) => {
				const sums = await inTurns(conv2d(geometry, ...operands, bias));
				addends?.forEach((term, index) => sums.add(index, term));
				return activated(activation, sums);
			});
			const extra = activationRoundings(activation);
			return (bench, operations) => {
				const output = bench.output(outputShape, outputType);
				const tensors = {
					input: bench.input(geometry.input, type, inputs),
					weights: bench.input(weightShape, type, weights),
					bias: bias && bench.input([window[0]], 'float32', bias),
					addend: addends && bench.input(outputShape, 'float32', addends),
				};
				return {
					call: () => operations.conv2d({...tensors, output, stride, pads, groups, activation, tf32}),
					// Sums have one term for each product, one for the bias and one for the addend.
					outputs: [close('output', output, expected, outputType, (count) => accumulation(count) + extra)],
				};
			};
		},
	};
}

function backwardInput(type: RealType, geometry: Options): OperationCase {
	const {stride, pads, groups, tf32 = false} = geometry;
	const [weightShape, outputShape] = [convWeightShape(geometry), convOutputShape(geometry)];
	return {
		...common(type, geometry),
		prepare: async (random) => {
			const weights = random.values(product(weightShape), 1, type);
			const gradients = random.values(product(outputShape), 1, type);
			const expected = await definedBy(tf32, [gradients, weights], async (...operands) =>
				inTurns(conv2dBackwardInput(geometry, ...operands)),
			);
			return (bench, operations) => {
				const inputGradient = bench.output(geometry.input, type);
				const tensors = {
					outputGradient: bench.input(outputShape, type, gradients),
					weights: bench.input(weightShape, type, weights),
				};
				return {
					call: () => operations.conv2dBackwardInput({...tensors, inputGradient, stride, pads, groups, tf32}),
					outputs: [close('inputGradient', inputGradient, expected, type)],
				};
			};
		},
	};
}

function backwardWeights(type: RealType, geometry: Options, {hasBias = true}: Fused = {}): OperationCase {
	const {stride, pads, groups, window, tf32 = false} = geometry;
	const [weightShape, outputShape] = [convWeightShape(geometry), convOutputShape(geometry)];
	return {
		...common(type, geometry, {hasBias}),
		prepare: async (random) => {
			const inputs = random.values(product(geometry.input), 1, type);
			const gradients = random.values(product(outputShape), 1, type);
			const expected = await definedBy(tf32, [inputs, gradients], async (...operands) =>
				inTurns(conv2dBackwardWeights(geometry, ...operands)),
			);
			return (bench, operations) => {
				const weightGradient = bench.output(weightShape, 'float32');
				const biasGradient = hasBias ? bench.output([window[0]], 'float32') : undefined;
				const tensors = {
					input: bench.input(geometry.input, type, inputs),
					outputGradient: bench.input(outputShape, type, gradients),
				};
				return {
					call: () =>
						operations.conv2dBackwardWeights({...tensors, weightGradient, biasGradient, stride, pads, groups, tf32}),
					outputs: gradientOutputs(expected, {weightGradient, biasGradient}),
				};
			};
		},
	};
}
