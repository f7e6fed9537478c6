import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import {close, extras, forTests, inWords, type CasesOf, type OperationCase} from '../operation-case.ts';
import type {Random} from '../random.ts';
import {lrnRoundings} from '../reference/lrn.ts';
import {
	lrnMaxPool,
	lrnMaxPoolBackward,
	lrnMaxPoolBackwardRoundings,
	undecided,
	type LrnMaxPoolGeometry,
} from '../reference/lrn-max-pool.ts';
import {poolOutputShape} from '../reference/max-pool.ts';

export interface Case extends LrnMaxPoolGeometry, Pick<OperationCase, 'misaligned' | 'testsOnly'> {
	/** Of the inputs, 100 where not said; see lrn's cases. */
	readonly scale?: number;
	/** Few levels: most windows hold their maximum more than once. */
	readonly hasTies?: boolean;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
	/** The inputs are a ReLU's outputs, through which the gradient goes on. */
	readonly activation?: 'relu';
	/** The forward pass keeps what the backward pass needs. */
	readonly training?: boolean;
}

const paper = {size: 5, alpha: 1e-4, beta: 0.75, k: 2};
const twoColumns = {...paper, columns: 2};
const overlapped = {size: 3, stride: 2};
const apart = {size: 2, stride: 2};

const small: readonly Case[] = [
	{shape: [2, 15, 15, 96], lrn: twoColumns, pool: overlapped, activation: 'relu'},
	{shape: [1, 11, 13, 256], lrn: twoColumns, pool: overlapped},
	{shape: [2, 9, 7, 32], lrn: paper, pool: apart, hasTies: true},
	{shape: [2, 7, 9, 16], lrn: {...twoColumns, beta: 0.5}, pool: {size: 3, stride: 1}, activation: 'relu'},
	{shape: [2, 7, 5, 24], lrn: {...twoColumns, size: 3}, pool: overlapped, hasTies: true, activation: 'relu'},
	{shape: [1, 7, 8, 16], lrn: twoColumns, pool: overlapped, misaligned: true},
	{shape: [2, 9, 7, 32], lrn: twoColumns, pool: overlapped, notFinite: true, activation: 'relu'},
];

const more: readonly Case[] = [
	{shape: [3, 9, 9, 104], lrn: paper, pool: overlapped, scale: 1}, // 13 chunks of channels
	{shape: [1, 10, 12, 48], lrn: {...paper, k: 1}, pool: overlapped, scale: 1000}, // a row and a column left over
	{shape: [2, 8, 8, 8], lrn: paper, pool: {size: 2, stride: 3}, activation: 'relu'}, // pixels between windows
	{shape: [1, 12, 11, 32], lrn: {...paper, beta: 0.6}, pool: {size: 5, stride: 2}, hasTies: true, activation: 'relu'},
	{shape: [1, 17, 16, 8], lrn: paper, pool: {size: 16, stride: 1}},
	{shape: [1, 6, 6, 64], lrn: twoColumns, pool: {size: 6, stride: 1}, activation: 'relu'},
	{shape: [3, 1, 3, 11], lrn: paper, pool: {size: 1, stride: 1}},
	{shape: [2, 5, 5, 3], lrn: paper, pool: apart, activation: 'relu'}, // fewer channels than the window has
	{shape: [1, 7, 7, 18], lrn: twoColumns, pool: overlapped, notFinite: true},
];

const geometries = [...small, ...forTests(more)];

export const lrnMaxPoolCases: CasesOf<'lrnMaxPool' | 'lrnMaxPoolBackward'> = {
	lrnMaxPool: (type, layers) => [
		...geometries.map((geometry) => forward(type, geometry)),
		...forTests(geometries).map((geometry) => forward(type, {...geometry, training: true})),
		// A window larger than a block's shared memory holds.
		...forTests([{shape: [1, 40, 41, 8], lrn: paper, pool: {size: 40, stride: 1}} as const]).map((geometry) =>
			forward(type, geometry),
		),
		...layers.lrnMaxPool.map((geometry) => forward(type, geometry)),
	],
	lrnMaxPoolBackward: (type, layers) => [
		...[...geometries, ...layers.lrnMaxPool].map((geometry) => backward(type, geometry)),
	],
};

function common(type: RealType, geometry: Case): Omit<OperationCase, 'prepare'> {
	const {shape, lrn, pool, scale, hasTies, activation, misaligned, notFinite, training, testsOnly} = geometry;
	const {columns = 1, size, beta, k} = lrn;
	const special = extras(
		scale !== undefined && `values up to ${scale}`,
		hasTies && 'ties',
		activation,
		misaligned && 'views',
		notFinite && 'NaN and infinities',
		training && 'in training',
	);
	const normalization = `columns ${columns}, size ${size}, beta ${beta}, k ${k}`;
	return {
		title: `${inWords(shape)}, ${normalization}, ${pool.size}/${pool.stride}${special}`,
		type,
		misaligned,
		testsOnly,
	};
}

/** Inputs of which each window has a winner that does not depend on a device's rounding. */
export function drawInput(type: RealType, geometry: Case, random: Random): Float64Array {
	const {shape, scale = 100, hasTies, notFinite, activation} = geometry;
	const draw = (length: number): Float64Array => {
		if (hasTies) return random.ties(length, 3, activation ? -0.5 : -4);
		const values = random.values(length, scale, type);
		return activation ? values.map((value) => Math.max(0, value)) : values;
	};
	const input = draw(elementsOf(shape));
	if (notFinite) for (const special of [NaN, Infinity]) input[random.integer(input.length)] = special;
	for (let rest = undecided(type, geometry, input); rest.size > 0; rest = undecided(type, geometry, input)) {
		const anew = draw(rest.size);
		[...rest].forEach((place, index) => (input[place] = anew[index]!));
	}
	return input;
}

function forward(type: RealType, geometry: Case): OperationCase {
	const {shape, lrn, pool, training} = geometry;
	return {
		...common(type, geometry),
		prepare: (random) => {
			const values = drawInput(type, geometry, random);
			const expected = lrnMaxPool(geometry, values);
			return (bench, operations) => {
				const input = bench.input(shape, type, values);
				const output = bench.output(poolOutputShape(shape, pool), type);
				const bytes = training ? operations.maxPoolWorkspaceBytes({input, output, ...pool}) : 0;
				const workspace = bench.workspace(bytes);
				return {
					call: () => operations.lrnMaxPool({input, output, workspace, lrn, pool}),
					outputs: [close('output', output, expected, type, () => lrnRoundings(lrn))],
				};
			};
		},
	};
}

function backward(type: RealType, geometry: Case): OperationCase {
	const {shape, lrn, pool, activation = 'none', notFinite} = geometry;
	const outputShape = poolOutputShape(shape, pool);
	return {
		...common(type, geometry),
		prepare: (random) => {
			const values = drawInput(type, geometry, random);
			const gradients = random.values(elementsOf(outputShape), 1, type, notFinite);
			const expected = lrnMaxPoolBackward(type, geometry, activation, values, gradients);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(outputShape, type)];
				const workspace = bench.workspace(operations.maxPoolWorkspaceBytes({input, output, ...pool}));
				if (!workspace) throw new Error('Max pooling keeps its maxima in a workspace.');
				const outputGradient = bench.input(outputShape, type, gradients);
				const inputGradient = bench.output(shape, type);
				operations.lrnMaxPool({input, output, workspace, lrn, pool});
				const tensors = {input, outputGradient, inputGradient, workspace};
				const roundings = lrnMaxPoolBackwardRoundings(geometry);
				return {
					call: () => operations.lrnMaxPoolBackward({...tensors, lrn, pool, activation}),
					outputs: [close('inputGradient', inputGradient, expected, type, () => roundings)],
				};
			};
		},
	};
}
