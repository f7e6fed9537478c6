import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import {close, equal, extras, forTests, inWords, type CasesOf, type OperationCase} from '../operation-case.ts';
import {activate} from '../reference/activate.ts';
import {maxPool, maxPoolBackward, poolOutputShape, type PoolGeometry} from '../reference/max-pool.ts';

interface Pooled extends PoolGeometry, Pick<OperationCase, 'misaligned' | 'testsOnly'> {
	/** Three negative levels: most windows hold their maximum more than once, and none is above zero. */
	readonly hasTies?: boolean;
	/** The inputs are a ReLU's outputs, through which the gradient goes on. */
	readonly activation?: 'relu';
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
	/** The forward pass keeps what the backward pass needs. */
	readonly training?: boolean;
}

const overlapped = {size: 3, stride: 2};
const apart = {size: 2, stride: 2};

const small: readonly Pooled[] = [
	{shape: [2, 15, 15, 96], options: overlapped},
	{shape: [1, 13, 13, 128], options: overlapped, hasTies: true},
	{shape: [2, 7, 9, 16], options: apart},
	{shape: [2, 8, 6, 24], options: {size: 3, stride: 1}, hasTies: true},
	{shape: [3, 7, 9, 13], options: overlapped, hasTies: true},
	{shape: [2, 7, 5, 19], options: overlapped, misaligned: true},
	{shape: [2, 9, 7, 16], options: overlapped, notFinite: true},
];

const more: readonly Pooled[] = [
	{shape: [3, 8, 6, 48], options: apart},
	{shape: [2, 8, 6, 24], options: overlapped}, // a row and a column left over
	{shape: [1, 9, 5, 1], options: overlapped},
	{shape: [5, 3, 3, 20], options: overlapped},
	{shape: [1, 7, 6, 16], options: {size: 3, stride: 1}}, // every pixel in nine windows
	{shape: [2, 8, 8, 8], options: {size: 2, stride: 3}}, // pixels between windows
	{shape: [3, 1, 1, 16], options: {size: 1, stride: 1}},
];
/** Those that the small ones have with ties. */
const untied: readonly Pooled[] = [
	{shape: [1, 13, 13, 128], options: overlapped},
	{shape: [3, 7, 9, 13], options: overlapped},
];
const tied = [...small, ...more]
	.filter(({hasTies, notFinite}) => !hasTies && !notFinite)
	.map((geometry) => ({...geometry, hasTies: true}));

const geometries = [...small, ...forTests([...more, ...untied, ...tied])];
const activated = geometries.map((geometry) => ({...geometry, activation: 'relu' as const}));

export const maxPoolCases: CasesOf<'maxPool' | 'maxPoolBackward'> = {
	maxPool: (type, layers) =>
		[...geometries, ...forTests(geometries.map((geometry) => ({...geometry, training: true}))), ...layers.maxPool].map(
			(geometry) => forward(type, geometry),
		),
	maxPoolBackward: (type, layers) =>
		[...geometries, ...activated, ...layers.maxPool].map((geometry) => backward(type, geometry)),
};

function common(type: RealType, geometry: Pooled): Omit<OperationCase, 'prepare'> {
	const {shape, options, hasTies, misaligned, notFinite, activation, training, testsOnly} = geometry;
	const special = extras(
		hasTies && 'ties',
		activation,
		misaligned && 'views',
		notFinite && 'NaN and infinities',
		training && 'in training',
	);
	return {title: `${inWords(shape)}, ${options.size}/${options.stride}${special}`, type, misaligned, testsOnly};
}

function forward(type: RealType, geometry: Pooled): OperationCase {
	const {shape, options, hasTies, notFinite, training} = geometry;
	return {
		...common(type, geometry),
		prepare: (random) => {
			const length = elementsOf(shape);
			const values = hasTies ? random.ties(length, 3, -4) : random.values(length, 1, type, notFinite);
			const expected = maxPool(shape, options, values);
			return (bench, operations) => {
				const input = bench.input(shape, type, values);
				const output = bench.output(poolOutputShape(shape, options), type);
				const bytes = training ? operations.maxPoolWorkspaceBytes({input, output, ...options}) : 0;
				const workspace = bench.workspace(bytes);
				return {
					call: () => operations.maxPool({input, output, workspace, ...options}),
					outputs: [equal('output', output, expected)],
				};
			};
		},
	};
}

function backward(type: RealType, geometry: Pooled): OperationCase {
	const {shape, options, hasTies, notFinite, activation = 'none'} = geometry;
	const outputShape = poolOutputShape(shape, options);
	return {
		...common(type, geometry),
		prepare: (random) => {
			const length = elementsOf(shape);
			const drawn = hasTies ? random.ties(length, 3, -4) : random.values(length, 1, type, notFinite);
			const values = activation === 'relu' ? drawn.map((value) => activate('relu', value + (hasTies ? 3 : 0))) : drawn;
			const gradients = random.values(elementsOf(outputShape), 1, type, notFinite);
			const expected = maxPoolBackward(shape, options, values, gradients, activation);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(outputShape, type)];
				const workspace = bench.workspace(operations.maxPoolWorkspaceBytes({input, output, ...options}));
				if (!workspace) throw new Error('Max pooling keeps its maxima in a workspace.');
				const outputGradient = bench.input(outputShape, type, gradients);
				const inputGradient = bench.output(shape, type);
				operations.maxPool({input, output, workspace, ...options});
				const tensors = {outputGradient, inputGradient, workspace};
				const below = activation === 'relu' ? {activation, output} : {};
				return {
					call: () => operations.maxPoolBackward({...tensors, ...options, ...below}),
					// An fp32 sum over the windows that an element won.
					outputs: [close('inputGradient', inputGradient, expected, type, (count) => count)],
				};
			};
		},
	};
}
