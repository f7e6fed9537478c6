import {elementsOf} from '../../device/memory.ts';
import type {LrnOptions} from '../../device/native.ts';
import type {RealType} from '../bfloat16.ts';
import {close, inWords, type OperationCase} from '../operation-case.ts';
import {lrn, lrnBackward, lrnBackwardRoundings, lrnRoundings} from '../reference/lrn.ts';

/** [N, H, W, C] and what is done with it. */
export interface LrnGeometry {
	readonly shape: readonly [number, number, number, number];
	readonly options: LrnOptions;
	readonly misaligned?: boolean;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
}

const paper = {size: 5, alpha: 1e-4, beta: 0.75, k: 2};

const small: readonly LrnGeometry[] = [
	{shape: [2, 5, 7, 96], options: {...paper, columns: 2}},
	{shape: [1, 3, 3, 256], options: {...paper, columns: 2}},
	{shape: [1, 3, 5, 48], options: {...paper, k: 1}},
	{shape: [2, 3, 3, 24], options: {...paper, size: 3, beta: 0.5}},
	{shape: [1, 3, 3, 50], options: {...paper, columns: 2}},
	{shape: [2, 3, 3, 16], options: {...paper, columns: 2}, misaligned: true},
	{shape: [2, 3, 3, 32], options: {...paper, columns: 2}, notFinite: true},
];

/** At 100 the sum of squares weighs as much as k. */
const scale = 100;

/** @param layers normalizations to check besides the small ones */
export function lrnCases(type: RealType, layers: readonly LrnGeometry[]): OperationCase[] {
	const all = [...small, ...layers];
	return [...all.map((geometry) => forward(type, geometry)), ...all.map((geometry) => backward(type, geometry))];
}

function describe({shape, options, misaligned, notFinite}: LrnGeometry): string {
	const {columns = 1, size, beta, k} = options;
	const extras = [misaligned ? ', views' : '', notFinite ? ', NaN and infinities' : ''];
	return `${inWords(shape)}, columns ${columns}, size ${size}, beta ${beta}, k ${k}${extras.join('')}`;
}

function forward(type: RealType, geometry: LrnGeometry): OperationCase {
	const {shape, options, misaligned, notFinite} = geometry;
	return {
		operation: 'lrn',
		title: describe(geometry),
		type,
		misaligned,
		prepare: (random) => {
			const values = random.values(elementsOf(shape), scale, type, notFinite);
			const expected = lrn(options, shape[3], values);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(shape, type)];
				return {
					call: () => operations.lrn({input, output, ...options}),
					outputs: [close('output', output, expected, type, () => lrnRoundings(options))],
				};
			};
		},
	};
}

function backward(type: RealType, geometry: LrnGeometry): OperationCase {
	const {shape, options, misaligned, notFinite} = geometry;
	return {
		operation: 'lrnBackward',
		title: describe(geometry),
		type,
		misaligned,
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
