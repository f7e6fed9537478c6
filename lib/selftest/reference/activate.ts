// The activations and their derivatives, taken from the output as the devices do.
import type {Activation} from '../../device/operations.ts';
import {Sums} from '../tolerance.ts';

export function activate(activation: Activation, x: number): number {
	if (activation === 'relu') return x <= 0 ? 0 : x;
	return activation === 'tanh' ? Math.tanh(x) : x;
}

/** f'(x), given y = f(x). NaN where y is. */
export function derivative(activation: Activation, y: number): number {
	if (activation === 'relu') return y > 0 ? 1 : y <= 0 ? 0 : y;
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
		const y = output[i]!;
		inputGradient.add(i, gradient * derivative(activation, y));
		if (activation === 'tanh') inputGradient.terms[i] = Math.abs(gradient) * (1 + y ** 2);
	});
	return inputGradient;
}
