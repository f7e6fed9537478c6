import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import {close, extras, forTests, inWords, type CasesOf, type OperationCase} from '../operation-case.ts';
import {lrn, lrnBackward, lrnBackwardRoundings, lrnRoundings, type LrnGeometry} from '../reference/lrn.ts';

interface Normalized extends LrnGeometry, Pick<OperationCase, 'misaligned' | 'testsOnly'> {
	/** Of the inputs, 100 where not said: there the sum of squares weighs as much as k, at 1000 it dwarfs it. */
	readonly scale?: number;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
	/** The forward pass keeps what the backward pass needs. */
	readonly training?: boolean;
}

const paper = {size: 5, alpha: 1e-4, beta: 0.75, k: 2};
const twoColumns = {...paper, columns: 2};

const small: readonly Normalized[] = [
	{shape: [2, 5, 7, 96], options: twoColumns},
	{shape: [1, 3, 3, 256], options: twoColumns},
	{shape: [1, 3, 5, 48], options: {...paper, k: 1}},
	{shape: [2, 3, 3, 24], options: {...paper, size: 3, beta: 0.5}},
	{shape: [1, 3, 3, 50], options: twoColumns},
	{shape: [2, 3, 3, 16], options: twoColumns, misaligned: true},
	{shape: [2, 3, 3, 32], options: twoColumns, notFinite: true},
];

const more: readonly Normalized[] = [
	{shape: [2, 5, 5, 48], options: paper},
	{shape: [1, 3, 5, 96], options: {...paper, k: 1}},
	{shape: [1, 4, 3, 32], options: twoColumns, scale: 1},
	{shape: [1, 4, 3, 32], options: twoColumns, scale: 1000},
	{shape: [3, 2, 5, 8], options: {...twoColumns, size: 3}},
	{shape: [2, 3, 3, 24], options: {...paper, beta: 0.5, k: 1}},
	{shape: [2, 3, 3, 16], options: {...paper, alpha: 0.5, beta: 0.6}, scale: 2},
	{shape: [3, 1, 3, 11], options: paper},
	{shape: [2, 3, 3, 3], options: paper}, // fewer channels than the window has
	{shape: [2, 3, 3, 2], options: twoColumns},
	{shape: [1, 1, 1, 1], options: paper},
];

const geometries = [...small, ...forTests(more)];

export const lrnCases: CasesOf<'lrn' | 'lrnBackward'> = {
	lrn: (type, layers) =>
		[...geometries, ...forTests(geometries.map((geometry) => ({...geometry, training: true}))), ...layers.lrn].map(
			(geometry) => forward(type, geometry),
		),
	lrnBackward: (type, layers) => [...geometries, ...layers.lrn].map((geometry) => backward(type, geometry)),
};

function common(type: RealType, geometry: Normalized): Omit<OperationCase, 'prepare'> {
	const {shape, options, scale, misaligned, notFinite, training, testsOnly} = geometry;
	const {columns = 1, size, alpha, beta, k} = options;
	const special = extras(
		alpha !== paper.alpha && `alpha ${alpha}`,
		scale !== undefined && `values up to ${scale}`,
		misaligned && 'views',
		notFinite && 'NaN and infinities',
		training && 'in training',
	);
	const title = `${inWords(shape)}, columns ${columns}, size ${size}, beta ${beta}, k ${k}${special}`;
	return {title, type, misaligned, testsOnly};
}

function forward(type: RealType, geometry: Normalized): OperationCase {
	const {shape, options, scale = 100, notFinite, training} = geometry;
	return {
		...common(type, geometry),
		prepare: (random) => {
			const values = random.values(elementsOf(shape), scale, type, notFinite);
			const expected = lrn(options, shape[3], values);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(shape, type)];
				const bytes = training ? operations.lrnWorkspaceBytes({input, output, ...options}) : 0;
				const workspace = bench.workspace(bytes);
				return {
					call: () => operations.lrn({input, output, workspace, ...options}),
					outputs: [close('output', output, expected, type, () => lrnRoundings(options))],
				};
			};
		},
	};
}

function backward(type: RealType, geometry: Normalized): OperationCase {
	const {shape, options, scale = 100, notFinite} = geometry;
	return {
		...common(type, geometry),
		prepare: (random) => {
			const values = random.values(elementsOf(shape), scale, type, notFinite);
			const gradients = random.values(elementsOf(shape), 1, type, notFinite);
			const expected = lrnBackward(options, shape[3], values, gradients);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(shape, type)];
				const outputGradient = bench.input(shape, type, gradients);
				const inputGradient = bench.output(shape, type);
				const workspace = bench.workspace(operations.lrnWorkspaceBytes({input, output, ...options}));
				operations.lrn({input, output, workspace, ...options});
				return {
					call: () => operations.lrnBackward({input, outputGradient, inputGradient, workspace, ...options}),
					outputs: [close('inputGradient', inputGradient, expected, type, () => lrnBackwardRoundings(options))],
				};
			};
		},
	};
}
