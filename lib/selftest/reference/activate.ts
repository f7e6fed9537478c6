// The activations and their derivatives, taken from the output as the devices do.
import type {Activation} from '../../device/operations.ts';
import {Sums} from '../tolerance.ts';

export function activate(activation: Activation, x: number): number {
	if (activation === 'relu') return x <= 0 ? 0 : x;
	if (activation === 'tanh') return Math.tanh(x);
	return activation === 'sigmoid' ? 1 / (1 + Math.exp(-x)) : x;
}

/** f'(x), given y = f(x). NaN where y is. */
export function derivative(activation: Activation, y: number): number {
	if (activation === 'relu') return y > 0 ? 1 : y <= 0 ? 0 : y;
	if (activation === 'tanh') return 1 - y * y;
	return activation === 'sigmoid' ? y * (1 - y) : 1;
}

/** tanh in fp32: good libraries stay within 2 to 4 units in the last place, which are two roundings each. */
const tanhRoundings = 8;

/** Roundings besides those of the sum that it is applied to. */
export function activationRoundings(activation: Activation): number {
	return activation === 'tanh' || activation === 'sigmoid' ? tanhRoundings : 0;
}

/** What errors of activation(x) = y are in proportion to. A device may compute a sigmoid as 1/2 + tanh(x/2) / 2. */
const ownTerms = (activation: Activation, y: number): number =>
	activation === 'sigmoid' ? Math.max(y, 1 - y) : Math.abs(y);

/** activation(input) of inputs that are exact. */
export function activateExact(activation: Activation, input: Float64Array): Sums {
	const output = new Sums(input.length);
	input.forEach((x, i) => {
		const y = activate(activation, x);
		output.add(i, y);
		output.terms[i] = ownTerms(activation, y);
	});
	return output;
}

/** activation(input) of sums. An error in the input reaches the output at most undiminished, so the terms stay. */
export function activated(activation: Activation, input: Sums): Sums {
	const output = new Sums(input.values.length);
	output.counts.set(input.counts);
	output.values.set(input.values.map((x) => activate(activation, x)));
	output.terms.set(input.terms);
	if (activation === 'sigmoid')
		output.terms.forEach((terms, i) => (output.terms[i] = terms + ownTerms(activation, output.values[i]!)));
	return output;
}

/** inputGradient = outputGradient * f'(x); 1 - y^2 and y - y^2 have two terms. */
export function activateBackward(activation: Activation, output: Float64Array, outputGradient: Float64Array): Sums {
	const inputGradient = new Sums(output.length);
	outputGradient.forEach((gradient, i) => {
		const y = output[i]!;
		inputGradient.add(i, gradient * derivative(activation, y));
		if (activation === 'tanh') inputGradient.terms[i] = Math.abs(gradient) * (1 + y ** 2);
		if (activation === 'sigmoid') inputGradient.terms[i] = Math.abs(gradient) * (y + y ** 2);
	});
	return inputGradient;
}
