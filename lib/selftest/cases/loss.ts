// Loss and update: what ends a step.
import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import {close, equal, inWords, type OperationCase, type Output} from '../operation-case.ts';
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

/** [N, K] of logits. */
const shapes = [
	[5, 1000],
	[7, 37],
	[1, 9],
] as const;

export function lossCases(type: RealType): OperationCase[] {
	return [
		...casesOf(type, shapes, false),
		// With a row that stays finite: one whose every value is NaN tells nothing of an operation that writes nothing.
		...casesOf(type, shapes.slice(0, 2), true),
		sgdCase(type),
	];
}

/** @param notFinite whether NaN and infinities are among the logits */
function casesOf(type: RealType, those: readonly (readonly [number, number])[], notFinite: boolean): OperationCase[] {
	return [
		// Probabilities are fp32 in every precision.
		...(type === 'float32' ? those.map((shape) => softmaxCase(shape, notFinite)) : []),
		...those.map((shape) => softmaxLossCase(type, shape, notFinite)),
	];
}

function titleOf(shape: readonly [number, number], notFinite: boolean): string {
	return `${inWords(shape)}${notFinite ? ', NaN and infinities' : ''}`;
}

function softmaxCase(shape: readonly [number, number], notFinite: boolean): OperationCase {
	const [images, classes] = shape;
	return {
		operation: 'softmax',
		title: titleOf(shape, notFinite),
		type: 'float32',
		prepare: (random) => {
			const values = random.values(images * classes, 4, 'float32', notFinite);
			const expected = new Sums(values.length);
			softmax(values, classes).forEach((probability, i) => expected.add(i, probability));
			return (bench, operations) => {
				const [logits, probabilities] = [bench.input(shape, 'float32', values), bench.output(shape, 'float32')];
				const roundings = (): number => softmaxRoundings(values, classes);
				return {
					call: () => operations.softmax({logits, probabilities}),
					outputs: [close('probabilities', probabilities, expected, 'float32', roundings)],
				};
			};
		},
	};
}

function softmaxLossCase(type: RealType, shape: readonly [number, number], notFinite: boolean): OperationCase {
	const [images, classes] = shape;
	return {
		operation: 'softmaxLoss',
		title: titleOf(shape, notFinite),
		type,
		prepare: (random) => {
			const values = random.values(images * classes, 4, 'float32', notFinite);
			const chosen = Int32Array.from({length: images}, () => random.integer(classes));
			const {loss, top1, top5} = softmaxLoss(values, chosen, classes);
			const expected = softmaxLossGradient(values, chosen, classes);
			return (bench, operations) => {
				const [result, gradient] = [bench.output([3], 'float32'), bench.output(shape, type)];
				const logits = bench.input(shape, 'float32', values);
				const labels = bench.input([images], 'int32', chosen);
				const sum = close('loss', result, lossSums(loss, images), 'float32', () => lossRoundings(values, classes));
				const counts = equal('top-1 and top-5 counts', result, Float64Array.of(top1, top5));
				return {
					call: () => operations.softmaxLoss({logits, labels, result, gradient}),
					outputs: [
						{tensor: result, compare: (actual) => sum.compare(actual.subarray(0, 1))},
						{tensor: result, compare: (actual) => counts.compare(actual.subarray(1))},
						close('gradient', gradient, expected, type, () => lossGradientRoundings(values, classes)),
					],
				};
			};
		},
	};
}

/** Under bf16 with a bf16 copy of the new weights. */
function sgdCase(type: RealType): OperationCase {
	const parameters = [
		{shape: [5, 3, 3, 7], learningRate: 0.01, weightDecay: 0.0005},
		{shape: [64, 33], learningRate: 0.5, weightDecay: 0.1},
		{shape: [1], learningRate: 0.02, weightDecay: 0},
	];
	return {
		operation: 'sgd',
		title: `${parameters.length} parameters${type === 'bfloat16' ? ' with copies' : ''}`,
		type,
		prepare: (random) => {
			const momentum = Math.fround(0.9);
			const states = parameters.map(({shape, ...rates}) => {
				const draw = (scale: number): Float64Array => random.values(elementsOf(shape), scale, 'float32');
				const learningRate = Math.fround(rates.learningRate);
				const weightDecay = Math.fround(rates.weightDecay);
				return {shape, learningRate, weightDecay, before: {weights: draw(1), velocity: draw(0.1), gradient: draw(2)}};
			});
			return (bench, operations) => {
				const outputs: Output[] = [];
				const tensors = states.map(({shape, learningRate, weightDecay, before}, index) => {
					const weights = bench.inPlace(shape, 'float32', before.weights);
					const velocity = bench.inPlace(shape, 'float32', before.velocity);
					const gradient = bench.input(shape, 'float32', before.gradient);
					const copy = type === 'bfloat16' ? bench.output(shape, type) : undefined;
					const after = sgd(before, {momentum, learningRate, weightDecay});
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
