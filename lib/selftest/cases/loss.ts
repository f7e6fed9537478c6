// Loss and update: what ends a step.
import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import type {Random} from '../random.ts';
import {
	close,
	equal,
	extras,
	forTests,
	inWords,
	type CasesOf,
	type OperationCase,
	type Output,
} from '../operation-case.ts';
import {sgd} from '../reference/sgd.ts';
import {
	lossGradientRoundings,
	lossRoundings,
	lossSums,
	softmax,
	softmaxLoss,
	softmaxLossGradient,
	softmaxRoundings,
} from '../reference/softmax-loss.ts';
import {Sums} from '../tolerance.ts';

interface Logits extends Pick<OperationCase, 'misaligned' | 'testsOnly'> {
	/** [N, K] */
	readonly shape: readonly [number, number];
	/** Of the values, 4 where not said. */
	readonly scale?: number;
	/** Many equal values, or all of them. */
	readonly ties?: 'some' | 'all';
	/** NaN and infinities are among the logits. */
	readonly notFinite?: boolean;
}

const logits: readonly Logits[] = [
	{shape: [5, 1000]},
	{shape: [7, 37]},
	{shape: [1, 9]},
	// With a row that stays finite: one whose every value is NaN tells nothing of an operation that writes nothing.
	{shape: [5, 1000], notFinite: true},
	{shape: [7, 37], notFinite: true},
	...forTests<Logits>([
		{shape: [300, 10]},
		{shape: [6, 3]},
		{shape: [4, 1]},
		{shape: [9, 12], scale: 1e4},
		{shape: [40, 9], ties: 'some'},
		{shape: [20, 11], ties: 'all'},
		{shape: [5, 23], misaligned: true},
	]),
];

export const lossCases: CasesOf<'softmax' | 'softmaxLoss' | 'sgd'> = {
	// Probabilities are fp32 in every precision.
	softmax: (type) => (type === 'float32' ? logits.map(softmaxCase) : []),
	softmaxLoss: (type) => logits.map((options) => softmaxLossCase(type, options)),
	sgd: (type) => updates.map((options) => sgdCase(type, options)),
};

function common(
	type: RealType,
	{shape, scale, ties, notFinite, misaligned, testsOnly}: Logits,
): Omit<OperationCase, 'prepare'> {
	const special = extras(
		scale !== undefined && `values up to ${scale}`,
		ties && `${ties} equal`,
		misaligned && 'views',
		notFinite && 'NaN and infinities',
	);
	return {title: `${inWords(shape)}${special}`, type, misaligned, testsOnly};
}

function draw(random: Random, {shape: [images, classes], scale = 4, ties, notFinite}: Logits): Float64Array {
	const length = images * classes;
	if (ties === 'some') return random.ties(length, 4, -2);
	return ties ? new Float64Array(length).fill(-3.5) : random.values(length, scale, 'float32', notFinite);
}

function softmaxCase(options: Logits): OperationCase {
	const {shape} = options;
	const [, classes] = shape;
	return {
		...common('float32', options),
		prepare: (random) => {
			const values = draw(random, options);
			const expected = new Sums(values.length);
			softmax(values, classes).forEach((probability, i) => expected.add(i, probability));
			const roundings = softmaxRoundings(values, classes);
			return (bench, operations) => {
				const [logits, probabilities] = [bench.input(shape, 'float32', values), bench.output(shape, 'float32')];
				return {
					call: () => operations.softmax({logits, probabilities}),
					outputs: [close('probabilities', probabilities, expected, 'float32', () => roundings)],
				};
			};
		},
	};
}

function softmaxLossCase(type: RealType, options: Logits): OperationCase {
	const {shape} = options;
	const [images, classes] = shape;
	return {
		...common(type, options),
		prepare: (random) => {
			const values = draw(random, options);
			const chosen = Int32Array.from({length: images}, () => random.integer(classes));
			const {loss, top1, top5} = softmaxLoss(values, chosen, classes);
			const expected = softmaxLossGradient(values, chosen, classes);
			const roundings = {loss: lossRoundings(values, classes), gradient: lossGradientRoundings(values, classes)};
			return (bench, operations) => {
				const [result, gradient] = [bench.output([3], 'float32'), bench.output(shape, type)];
				const logits = bench.input(shape, 'float32', values);
				const labels = bench.input([images], 'int32', chosen);
				const sum = close('loss', result, lossSums(loss, images), 'float32', () => roundings.loss);
				const counts = equal('top-1 and top-5 counts', result, Float64Array.of(top1, top5));
				return {
					call: () => operations.softmaxLoss({logits, labels, result, gradient}),
					outputs: [
						{tensor: result, compare: (actual) => sum.compare(actual.subarray(0, 1))},
						{tensor: result, compare: (actual) => counts.compare(actual.subarray(1))},
						close('gradient', gradient, expected, type, () => roundings.gradient),
					],
				};
			};
		},
	};
}

interface Update extends Pick<OperationCase, 'misaligned' | 'testsOnly'> {
	readonly momentum: number;
}

const updates: readonly Update[] = [
	{momentum: 0.9},
	...forTests([{momentum: 0}, {momentum: 0.9, misaligned: true}, {momentum: 0, misaligned: true}]),
];

/** Each with rates of its own, as weights and biases have. Under bf16 matrices have a bf16 copy of the new weights. */
const parameters = [
	{shape: [5, 3, 3, 7], learningRate: 0.01, weightDecay: 0.0005},
	{shape: [5], learningRate: 0.02, weightDecay: 0},
	{shape: [64, 33], learningRate: 0.5, weightDecay: 0.1},
	{shape: [19, 3], learningRate: 0.1, weightDecay: 0.2},
	{shape: [1], learningRate: 0.001, weightDecay: 0.0005},
];

function sgdCase(type: RealType, {misaligned, testsOnly, ...update}: Update): OperationCase {
	const momentum = Math.fround(update.momentum);
	const special = extras(type === 'bfloat16' && 'with copies', misaligned && 'views');
	return {
		title: `${parameters.length} parameters, momentum ${update.momentum}${special}`,
		...{type, misaligned, testsOnly},
		prepare: (random) => {
			const states = parameters.map(({shape, ...rates}) => {
				const values = (scale: number): Float64Array => random.values(elementsOf(shape), scale, 'float32');
				const learningRate = Math.fround(rates.learningRate);
				const weightDecay = Math.fround(rates.weightDecay);
				const before = {weights: values(1), velocity: values(0.1), gradient: values(2)};
				const after = sgd(before, {momentum, learningRate, weightDecay});
				return {shape, learningRate, weightDecay, before, after};
			});
			return (bench, operations) => {
				const outputs: Output[] = [];
				const tensors = states.map(({shape, learningRate, weightDecay, before, after}, index) => {
					const weights = bench.inPlace(shape, 'float32', before.weights);
					const velocity = bench.inPlace(shape, 'float32', before.velocity);
					const gradient = bench.input(shape, 'float32', before.gradient);
					const copy = type === 'bfloat16' && shape.length > 1 ? bench.output(shape, type) : undefined;
					// Two products and two additions for the velocity's terms, one addition more for the weights'.
					outputs.push(close(`velocity ${index}`, velocity, after.velocity, 'float32', () => 4));
					outputs.push(close(`weights ${index}`, weights, after.weights, 'float32', () => 5));
					if (copy) outputs.push(close(`copy ${index}`, copy, after.weights, type, () => 5));
					return {weights, velocity, gradient, copy, learningRate, weightDecay};
				});
				return {call: () => operations.sgd({momentum, parameters: tensors}), outputs};
			};
		},
	};
}
