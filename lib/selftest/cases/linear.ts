import type {Activation} from '../../device/native.ts';
import type {RealType} from '../bfloat16.ts';
import {close, inWords, type OperationCase} from '../operation-case.ts';
import {inTurns} from '../pieces.ts';
import {activated} from '../reference/activate.ts';
import {linear, linearBackwardInput, linearBackwardWeights, type LinearGeometry} from '../reference/linear.ts';
import {accumulation, tanhRoundings} from '../tolerance.ts';

interface Options {
	/** [N, I, O] */
	readonly geometry: LinearGeometry;
	readonly activation?: Activation;
	readonly hasAddend?: boolean;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
	readonly outputType?: RealType;
	readonly misaligned?: boolean;
}

/** One picture, several, and odd sizes of everything. */
const small: readonly Options[] = [
	{geometry: [1, 64, 24]},
	{geometry: [1, 300, 77]},
	{geometry: [3, 2304, 40]},
	{geometry: [64, 96, 128]},
	{geometry: [17, 75, 53]},
	{geometry: [6, 43, 29], misaligned: true},
];

const fusions: readonly Options[] = [
	{geometry: [6, 40, 30], activation: 'relu'},
	{geometry: [6, 40, 30], activation: 'tanh'},
	{geometry: [1, 64, 24], activation: 'relu', hasAddend: true},
	{geometry: [1, 64, 24], activation: 'relu', notFinite: true},
	{geometry: [40, 7, 50], activation: 'relu'}, // an output that is larger than input and weights
	{geometry: [40, 7, 50], activation: 'relu', notFinite: true},
	{geometry: [40, 7, 50], activation: 'tanh', notFinite: true},
	{geometry: [17, 75, 53], hasAddend: true, outputType: 'float32'},
];

/** @param layers products to check besides the small ones */
export function linearCases(type: RealType, layers: readonly LinearGeometry[]): OperationCase[] {
	const all = [...small, ...layers.map((geometry): Options => ({geometry}))];
	return [
		...[...all, ...fusions].map((options) => forward(type, options)),
		...all.map((options) => backwardInput(type, options)),
		...all.map((options) => backwardWeights(type, options)),
	];
}

function describe({geometry, misaligned}: Options): string {
	const [images, inputs, outputs] = geometry;
	return `${inWords([images, inputs])} to ${outputs}${misaligned ? ', views' : ''}`;
}

function forward(type: RealType, options: Options): OperationCase {
	const {geometry, activation = 'none', hasAddend = false, notFinite, outputType = type, misaligned} = options;
	const [images, inputs, outputs] = geometry;
	const extras = [
		activation === 'none' ? [] : activation,
		hasAddend ? 'addend' : [],
		notFinite ? 'NaN and infinities' : [],
		outputType === type ? [] : 'to fp32',
	];
	return {
		operation: 'linear',
		title: [describe(options), ...extras.flat()].join(', '),
		type,
		misaligned,
		prepare: async (random) => {
			const values = random.values(images * inputs, 1, type, notFinite);
			const weights = random.values(outputs * inputs, 2 / Math.sqrt(inputs), type);
			const bias = random.values(outputs, 1, 'float32');
			const addends = hasAddend ? random.values(images * outputs, 1, 'float32') : undefined;
			const sums = await inTurns(linear(geometry, values, weights, bias));
			addends?.forEach((term, index) => sums.add(index, term));
			const expected = activated(activation, sums);
			const extra = activation === 'tanh' ? tanhRoundings : 0;
			return (bench, operations) => {
				const output = bench.output([images, outputs], outputType);
				const tensors = {
					input: bench.input([images, inputs], type, values),
					weights: bench.input([outputs, inputs], type, weights),
					bias: bench.input([outputs], 'float32', bias),
					addend: addends && bench.input([images, outputs], 'float32', addends),
				};
				return {
					call: () => operations.linear({...tensors, output, activation}),
					outputs: [close('output', output, expected, outputType, (count) => accumulation(count) + extra)],
				};
			};
		},
	};
}

function backwardInput(type: RealType, options: Options): OperationCase {
	const {geometry, misaligned} = options;
	const [images, inputs, outputs] = geometry;
	return {
		operation: 'linearBackwardInput',
		title: describe(options),
		type,
		misaligned,
		prepare: async (random) => {
			const weights = random.values(outputs * inputs, 1, type);
			const gradients = random.values(images * outputs, 1, type);
			const expected = await inTurns(linearBackwardInput(geometry, gradients, weights));
			return (bench, operations) => {
				const inputGradient = bench.output([images, inputs], type);
				const tensors = {
					outputGradient: bench.input([images, outputs], type, gradients),
					weights: bench.input([outputs, inputs], type, weights),
				};
				return {
					call: () => operations.linearBackwardInput({...tensors, inputGradient}),
					outputs: [close('inputGradient', inputGradient, expected, type)],
				};
			};
		},
	};
}

function backwardWeights(type: RealType, options: Options): OperationCase {
	const {geometry, misaligned} = options;
	const [images, inputs, outputs] = geometry;
	return {
		operation: 'linearBackwardWeights',
		title: describe(options),
		type,
		misaligned,
		prepare: async (random) => {
			const values = random.values(images * inputs, 1, type);
			const gradients = random.values(images * outputs, 1, type);
			const expected = await inTurns(linearBackwardWeights(geometry, values, gradients));
			return (bench, operations) => {
				const weightGradient = bench.output([outputs, inputs], 'float32');
				const biasGradient = bench.output([outputs], 'float32');
				const tensors = {
					input: bench.input([images, inputs], type, values),
					outputGradient: bench.input([images, outputs], type, gradients),
				};
				return {
					call: () => operations.linearBackwardWeights({...tensors, weightGradient, biasGradient}),
					outputs: [
						close('weightGradient', weightGradient, expected.weightGradient, 'float32'),
						close('biasGradient', biasGradient, expected.biasGradient, 'float32'),
					],
				};
			};
		},
	};
}
