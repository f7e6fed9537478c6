import {elementsOf} from '../../device/memory.ts';
import type {PoolOptions} from '../../device/native.ts';
import type {RealType} from '../bfloat16.ts';
import {close, equal, inWords, type OperationCase} from '../operation-case.ts';
import {maxPool, maxPoolBackward, poolOutputShape, type PoolInput} from '../reference/max-pool.ts';

export interface PoolGeometry {
	readonly shape: PoolInput;
	readonly options: PoolOptions;
	/** Few different values, so that most windows hold their maximum more than once. */
	readonly hasTies?: boolean;
	readonly misaligned?: boolean;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
}

const overlapped = {size: 3, stride: 2};

const small: readonly PoolGeometry[] = [
	{shape: [2, 15, 15, 96], options: overlapped},
	{shape: [1, 13, 13, 128], options: overlapped, hasTies: true},
	{shape: [2, 7, 9, 16], options: {size: 2, stride: 2}},
	{shape: [2, 8, 6, 24], options: {size: 3, stride: 1}, hasTies: true},
	{shape: [3, 7, 9, 13], options: overlapped, hasTies: true},
	{shape: [2, 7, 5, 19], options: overlapped, misaligned: true},
	{shape: [2, 9, 7, 16], options: overlapped, notFinite: true},
];

/** @param layers poolings to check besides the small ones */
export function maxPoolCases(type: RealType, layers: readonly PoolGeometry[]): OperationCase[] {
	const all = [...small, ...layers];
	return [...all.map((geometry) => forward(type, geometry)), ...all.map((geometry) => backward(type, geometry))];
}

function common(
	type: RealType,
	{shape, options, hasTies, misaligned, notFinite}: PoolGeometry,
): Omit<OperationCase, 'operation' | 'prepare'> {
	const extras = [hasTies ? ', ties' : '', misaligned ? ', views' : '', notFinite ? ', NaN and infinities' : ''];
	return {title: `${inWords(shape)}, ${options.size}/${options.stride}${extras.join('')}`, type, misaligned};
}

function forward(type: RealType, geometry: PoolGeometry): OperationCase {
	const {shape, options, hasTies, notFinite} = geometry;
	return {
		...common(type, geometry),
		operation: 'maxPool',
		prepare: (random) => {
			const length = elementsOf(shape);
			const values = hasTies ? random.ties(length, 3, -4) : random.values(length, 1, type, notFinite);
			const expected = maxPool(shape, options, values);
			return (bench, operations) => {
				const input = bench.input(shape, type, values);
				const output = bench.output(poolOutputShape(shape, options), type);
				return {
					call: () => operations.maxPool({input, output, ...options}),
					outputs: [equal('output', output, expected)],
				};
			};
		},
	};
}

function backward(type: RealType, geometry: PoolGeometry): OperationCase {
	const {shape, options, hasTies, notFinite} = geometry;
	const outputShape = poolOutputShape(shape, options);
	return {
		...common(type, geometry),
		operation: 'maxPoolBackward',
		prepare: (random) => {
			const length = elementsOf(shape);
			const values = hasTies ? random.ties(length, 3, -4) : random.values(length, 1, type, notFinite);
			const gradients = random.values(elementsOf(outputShape), 1, type, notFinite);
			const expected = maxPoolBackward(shape, options, values, gradients);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(outputShape, type)];
				const workspace = bench.workspace(operations.maxPoolWorkspaceBytes({input, output, ...options}));
				if (!workspace) throw new Error('Max pooling keeps its maxima in a workspace.');
				const outputGradient = bench.input(outputShape, type, gradients);
				const inputGradient = bench.output(shape, type);
				operations.maxPool({input, output, workspace, ...options});
				return {
					call: () => operations.maxPoolBackward({outputGradient, inputGradient, workspace, ...options}),
					// An fp32 sum over the windows that an element won.
					outputs: [close('inputGradient', inputGradient, expected, type, (count) => count)],
				};
			};
		},
	};
}
