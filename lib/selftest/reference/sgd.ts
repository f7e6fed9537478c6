// v <- momentum * v - weightDecay * rate * w - rate * gradient;  w <- w + v                                (paper 5)
import {Sums} from '../tolerance.ts';

export interface SgdState {
	weights: Float64Array;
	velocity: Float64Array;
	gradient: Float64Array;
}

export function sgd(
	{weights, velocity, gradient}: SgdState,
	{momentum, learningRate, weightDecay}: {momentum: number; learningRate: number; weightDecay: number},
): {velocity: Sums; weights: Sums} {
	const result = {velocity: new Sums(weights.length), weights: new Sums(weights.length)};
	weights.forEach((w, i) => {
		const terms = [momentum * velocity[i]!, -weightDecay * learningRate * w, -learningRate * gradient[i]!];
		for (const term of terms) result.velocity.add(i, term);
		for (const term of [w, ...terms]) result.weights.add(i, term);
	});
	return result;
}
