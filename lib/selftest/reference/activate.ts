// The activations and their derivatives, taken from the output as the devices do.
import type {Activation} from '../../native.ts';
import {Sums} from '../tolerance.ts';

export function activate(activation: Activation, x: number): number {
	if (activation === 'relu') return x > 0 ? x : 0;
	return activation === 'tanh' ? Math.tanh(x) : x;
}

/** f'(x), given y = f(x) */
export function derivative(activation: Activation, y: number): number {
	if (activation === 'relu') return y > 0 ? 1 : 0;
	return activation === 'tanh' ? 1 - y * y : 1;
}

/** activation(input). An error in the input reaches the output at most undiminished, so the terms stay. */
export function activated(activation: Activation, input: Sums): Sums {
	const output = new Sums(input.values.length);
	output.terms.set(input.terms);
	output.counts.set(input.counts);
	output.values.set(input.values.map((x) => activate(activation, x)));
	return output;
}

/** inputGradient = outputGradient * f'(x); 1 - y^2 has two terms. */
export function activateBackward(activation: Activation, output: Float64Array, outputGradient: Float64Array): Sums {
	const inputGradient = new Sums(output.length);
	outputGradient.forEach((gradient, i) => {
		if (activation === 'relu') {
			if (output[i]! > 0) inputGradient.add(i, gradient);
		} else {
			inputGradient.add(i, gradient);
			inputGradient.add(i, -gradient * output[i]! ** 2);
		}
	});
	return inputGradient;
}
