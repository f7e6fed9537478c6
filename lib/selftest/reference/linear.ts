// output[n,o] = bias[o] + sum over i of input[n,i] * weights[o,i]
import type {Pieces} from '../pieces.ts';
import {Sums} from '../tolerance.ts';

/** [N, I, O] */
export type LinearGeometry = readonly [number, number, number];

function* forEachProduct(
	[images, inputs, outputs]: LinearGeometry,
	visit: (o: number, i: number, w: number) => void,
): Pieces<void> {
	for (let n = 0; n < images; n++) {
		for (let o = 0; o < outputs; o++) {
			for (let i = 0; i < inputs; i++) visit(n * outputs + o, n * inputs + i, o * inputs + i);
			yield;
		}
	}
}

/** output [N, O], before any activation */
export function* linear(
	geometry: LinearGeometry,
	input: Float64Array,
	weights: Float64Array,
	bias?: Float64Array,
): Pieces<Sums> {
	const output = new Sums(geometry[0] * geometry[2]);
	yield* forEachProduct(geometry, (o, i, w) => output.add(o, input[i]! * weights[w]!));
	if (bias) output.values.forEach((_, o) => output.add(o, bias[o % bias.length]!));
	return output;
}

/** inputGradient [N, I] */
export function* linearBackwardInput(
	geometry: LinearGeometry,
	outputGradient: Float64Array,
	weights: Float64Array,
): Pieces<Sums> {
	const inputGradient = new Sums(geometry[0] * geometry[1]);
	yield* forEachProduct(geometry, (o, i, w) => inputGradient.add(i, outputGradient[o]! * weights[w]!));
	return inputGradient;
}

/** weightGradient [O, I] and biasGradient [O] */
export function* linearBackwardWeights(
	geometry: LinearGeometry,
	input: Float64Array,
	outputGradient: Float64Array,
): Pieces<{weightGradient: Sums; biasGradient: Sums}> {
	const weightGradient = new Sums(geometry[2] * geometry[1]);
	yield* forEachProduct(geometry, (o, i, w) => weightGradient.add(w, input[i]! * outputGradient[o]!));
	const biasGradient = new Sums(geometry[2]);
	outputGradient.forEach((gradient, o) => biasGradient.add(o % geometry[2], gradient));
	return {weightGradient, biasGradient};
}
