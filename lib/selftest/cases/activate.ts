import {elementsOf} from '../../device/memory.ts';
import {nonlinearities, type Nonlinearity} from '../../device/operations.ts';
import type {RealType} from '../bfloat16.ts';
import {close, type CasesOf, type OperationCase} from '../operation-case.ts';
import {activateBackward, activateExact, activationRoundings} from '../reference/activate.ts';
import {alsoInPlace, common, small, throughput, type Elements} from './elements.ts';

export const activateCases: CasesOf<'activate' | 'activateBackward'> = {
	activate: (type) => activations.map((options) => activateCase(type, options)),
	activateBackward: (type) => activations.map((options) => activateBackwardCase(type, options)),
};

const ranges: Readonly<Record<Nonlinearity, readonly [least: number, most: number]>> = {
	relu: [0, Infinity],
	tanh: [-1, 1],
	sigmoid: [0, 1],
};

interface Activated extends Elements {
	readonly activation: Nonlinearity;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
}

const activations: readonly Activated[] = nonlinearities.flatMap((activation) => [
	...alsoInPlace.map((elements) => ({...elements, activation})),
	...small.map((elements) => ({...elements, activation, notFinite: true})),
]);

function activated(type: RealType, options: Activated): Omit<OperationCase, 'prepare'> {
	return common(type, options, options.activation, options.notFinite && 'NaN and infinities');
}

function activateCase(type: RealType, options: Activated): OperationCase {
	const {activation, notFinite, shape} = options;
	return {
		...activated(type, options),
		prepare: (random) => {
			const values = random.values(elementsOf(shape), 4, type, notFinite);
			const expected = activateExact(activation, values);
			return (bench, operations) => {
				const {input, output} = throughput(bench, type, options, values);
				return {
					call: () => operations.activate({input, output, activation}),
					outputs: [close('output', output, expected, type, () => activationRoundings(activation))],
				};
			};
		},
	};
}

function activateBackwardCase(type: RealType, options: Activated): OperationCase {
	const {activation, notFinite, shape} = options;
	return {
		...activated(type, options),
		prepare: (random) => {
			// What each can give: relu zeros, and no gradient there, tanh and sigmoid nothing beyond their limits.
			const drawn = random.values(elementsOf(shape), 0.99, type, notFinite);
			const [least, most] = ranges[activation];
			const values = drawn.map((y) => Math.max(least, Math.min(most, y)));
			const gradients = random.values(values.length, 1, type, notFinite);
			const expected = activateBackward(activation, values, gradients);
			return (bench, operations) => {
				const output = bench.input(shape, type, values);
				const {input: outputGradient, output: inputGradient} = throughput(bench, type, options, gradients);
				return {
					call: () => operations.activateBackward({output, outputGradient, inputGradient, activation}),
					// Three operations: y * y, 1 - y * y, and times the gradient.
					outputs: [close('inputGradient', inputGradient, expected, type, () => 3)],
				};
			};
		},
	};
}
