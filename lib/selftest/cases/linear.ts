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
import {linear, linearBackwardInput, linearBackwardWeights, type LinearGeometry} from '../reference/linear.ts';
import {accumulation} from '../tolerance.ts';
import {gradientOutputs, type Fused} from './products.ts';

interface Options extends Fused, Pick<OperationCase, 'misaligned' | 'testsOnly' | 'tf32'> {
	/** [N, I, O] */
	readonly geometry: LinearGeometry;
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
	{geometry: [6, 40, 30], activation: 'sigmoid'},
	{geometry: [1, 64, 24], activation: 'relu', hasAddend: true},
	{geometry: [1, 64, 24], activation: 'relu', notFinite: true},
	{geometry: [40, 7, 50], activation: 'relu'}, // an output that is larger than input and weights
	{geometry: [40, 7, 50], activation: 'relu', notFinite: true},
	{geometry: [40, 7, 50], activation: 'tanh', notFinite: true},
	{geometry: [17, 75, 53], hasAddend: true, outputType: 'float32'},
];

const more: readonly Options[] = [
	{geometry: [5, 128, 1000]},
	{geometry: [1024, 12, 10]},
	{geometry: [7, 1, 9]},
	{geometry: [9, 33, 1]},
	{geometry: [1, 1, 1]},
	{geometry: [6, 40, 30], hasBias: false},
];

const fusedOnce: readonly Options[] = [
	{geometry: [1, 43, 29], activation: 'tanh'},
	{geometry: [1, 43, 29], activation: 'sigmoid'},
	{geometry: [5, 31, 11], activation: 'tanh', hasBias: false},
	{geometry: [9, 31, 11], activation: 'sigmoid', hasAddend: true, notFinite: true},
	{geometry: [17, 75, 53], hasAddend: true, outputType: 'bfloat16'},
	{geometry: [6, 43, 29], hasBias: false, hasAddend: true, misaligned: true},
];

const geometries = [...small, ...forTests(more)];

/** Those of fp32 once more in TF32. */
function withLayers(type: RealType, layers: readonly LinearGeometry[]): Options[] {
	const all = [...geometries, ...layers.map((geometry) => ({geometry}))];
	return type === 'float32' ? [...all, ...inTf32(all)] : all;
}

export const linearCases: CasesOf<'linear' | 'linearBackwardInput' | 'linearBackwardWeights'> = {
	linear: (type, {linear: layers}) => {
		const all = [
			...withLayers(type, layers),
			...fusions,
			...(type === 'float32' ? inTf32(forTests(fusions)) : []),
			...forTests(fusedOnce.filter(({outputType = type}) => outputType === type)),
		];
		// To fp32, too, as of a layer's first half; for fp32 that is what is there already.
		const finite = [...small, ...more, ...fusions, ...fusedOnce].filter(
			({notFinite, outputType}) => !notFinite && !outputType,
		);
		const widened = type === 'bfloat16' ? forTests(finite) : [];
		return [...all, ...widened.map((one) => ({...one, outputType: 'float32' as const}))].map((one) =>
			forward(type, one),
		);
	},
	linearBackwardInput: (type, {linear: layers}) =>
		withLayers(type, layers).map((options) => backwardInput(type, options)),
	linearBackwardWeights: (type, {linear: layers}) =>
		withLayers(type, layers).map((options) => backwardWeights(type, options)),
};

function common(
	type: RealType,
	{
		geometry,
		misaligned,
		testsOnly,
		activation = 'none',
		hasBias = true,
		hasAddend,
		notFinite,
		outputType = type,
		tf32,
	}: Options,
): Omit<OperationCase, 'prepare'> {
	const [images, inputs, outputs] = geometry;
	const special = extras(
		misaligned && 'views',
		activation !== 'none' && activation,
		!hasBias && 'no bias',
		hasAddend && 'addend',
		notFinite && 'NaN and infinities',
		outputType !== type && 'to fp32',
		tf32 && 'TF32',
	);
	return {title: `${inWords([images, inputs])} to ${outputs}${special}`, type, misaligned, testsOnly, tf32};
}

function forward(type: RealType, options: Options): OperationCase {
	const {geometry, activation = 'none', hasBias = true, hasAddend = false, notFinite} = options;
	const {outputType = type, tf32 = false} = options;
	const [images, inputs, outputs] = geometry;
	return {
		...common(type, options),
		prepare: async (random) => {
			const values = random.values(images * inputs, 1, type, notFinite);
			const weights = random.values(outputs * inputs, 2 / Math.sqrt(inputs), type);
			const bias = hasBias ? random.values(outputs, 1, 'float32') : undefined;
			const addends = hasAddend ? random.values(images * outputs, 1, 'float32') : undefined;
			const expected = await definedBy(tf32, [values, weights], async (...operands) => {
				const sums = await inTurns(linear(geometry, ...operands, bias));
				addends?.forEach((term, index) => sums.add(index, term));
				return activated(activation, sums);
			});
			const extra = activationRoundings(activation);
			return (bench, operations) => {
				const output = bench.output([images, outputs], outputType);
				const tensors = {
					input: bench.input([images, inputs], type, values),
					weights: bench.input([outputs, inputs], type, weights),
					bias: bias && bench.input([outputs], 'float32', bias),
					addend: addends && bench.input([images, outputs], 'float32', addends),
				};
				return {
					call: () => operations.linear({...tensors, output, activation, tf32}),
					// Sums have one term for each product, one for the bias and one for the addend.
					outputs: [close('output', output, expected, outputType, (count) => accumulation(count) + extra)],
				};
			};
		},
	};
}

function backwardInput(type: RealType, options: Options): OperationCase {
	const {geometry, tf32 = false} = options;
	const [images, inputs, outputs] = geometry;
	return {
		...common(type, options),
		prepare: async (random) => {
			const weights = random.values(outputs * inputs, 1, type);
			const gradients = random.values(images * outputs, 1, type);
			const expected = await definedBy(tf32, [gradients, weights], async (...operands) =>
				inTurns(linearBackwardInput(geometry, ...operands)),
			);
			return (bench, operations) => {
				const inputGradient = bench.output([images, inputs], type);
				const tensors = {
					outputGradient: bench.input([images, outputs], type, gradients),
					weights: bench.input([outputs, inputs], type, weights),
				};
				return {
					call: () => operations.linearBackwardInput({...tensors, inputGradient, tf32}),
					outputs: [close('inputGradient', inputGradient, expected, type)],
				};
			};
		},
	};
}

function backwardWeights(type: RealType, options: Options): OperationCase {
	const {geometry, hasBias = true, tf32 = false} = options;
	const [images, inputs, outputs] = geometry;
	return {
		...common(type, options),
		prepare: async (random) => {
			const values = random.values(images * inputs, 1, type);
			const gradients = random.values(images * outputs, 1, type);
			const expected = await definedBy(tf32, [values, gradients], async (...operands) =>
				inTurns(linearBackwardWeights(geometry, ...operands)),
			);
			return (bench, operations) => {
				const weightGradient = bench.output([outputs, inputs], 'float32');
				const biasGradient = hasBias ? bench.output([outputs], 'float32') : undefined;
				const tensors = {
					input: bench.input([images, inputs], type, values),
					outputGradient: bench.input([images, outputs], type, gradients),
				};
				return {
					call: () => operations.linearBackwardWeights({...tensors, weightGradient, biasGradient, tf32}),
					outputs: gradientOutputs(expected, {weightGradient, biasGradient}),
				};
			};
		},
	};
}
