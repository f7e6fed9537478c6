import {operations} from '../../lib/ops.ts';
import {roundTo} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {sgd} from '../../lib/selftest/reference/sgd.ts';
import {badArgument, testRefusals} from '../helpers/refusals.ts';
import {assertClose, assertEqual} from '../helpers/tolerance.ts';

/** Each with rates of its own, as weights and biases have; all in one call. */
const parameters = [
	{shape: [5, 3, 3, 7], learningRate: 0.01, weightDecay: 0.0005, copy: true},
	{shape: [5], learningRate: 0.02, weightDecay: 0, copy: false},
	{shape: [64, 33], learningRate: 0.5, weightDecay: 0.1, copy: true},
	{shape: [19, 3], learningRate: 0.1, weightDecay: 0.2, copy: false},
	{shape: [1], learningRate: 0.001, weightDecay: 0.0005, copy: true},
];

for (const momentum of [0.9, 0]) {
	for (const misaligned of [false, true]) {
		forEachDevice(
			`sgd with momentum ${momentum}${misaligned ? ', views' : ''}`,
			async (t, bench) => {
				const prepared = parameters.map(({shape, learningRate, weightDecay, copy}) => {
					const length = shape.reduce((a, b) => a * b);
					const state = {
						weights: bench.random.values(length, 1, 'float32'),
						velocity: bench.random.values(length, 0.1, 'float32'),
						gradient: bench.random.values(length, 2, 'float32'),
					};
					const rates = {learningRate: Math.fround(learningRate), weightDecay: Math.fround(weightDecay)};
					const tensors = {
						weights: bench.inPlace(shape, 'float32', state.weights),
						velocity: bench.inPlace(shape, 'float32', state.velocity),
						gradient: bench.input(shape, 'float32', state.gradient),
						copy: copy ? bench.output(shape, 'bfloat16') : undefined,
					};
					return {tensors, rates, expected: sgd(state, {momentum: Math.fround(momentum), ...rates})};
				});
				operations.sgd({momentum, parameters: prepared.map(({tensors, rates}) => ({...tensors, ...rates}))});
				for (const [i, {tensors, expected}] of prepared.entries()) {
					// Two products and two additions for the velocity's terms, one addition more for the weights'.
					const weights = await bench.read(tensors.weights);
					assertClose(t, `velocity ${i}`, await bench.read(tensors.velocity), expected.velocity, 'float32', () => 4);
					assertClose(t, `weights ${i}`, weights, expected.weights, 'float32', () => 5);
					if (!tensors.copy) continue;
					const rounded = weights.map((w) => roundTo('bfloat16', w));
					assertEqual(t, `copy ${i}`, await bench.read(tensors.copy), rounded);
				}
			},
			{misaligned},
		);
	}
}

testRefusals('sgd', {
	tensors: (make) => ({
		weights: make([3, 5]),
		velocity: make([3, 5]),
		gradient: make([3, 5]),
		copy: make([3, 5], 'bfloat16'),
	}),
	options: {momentum: 0.9, learningRate: 0.01, weightDecay: 0.0005},
	optional: ['copy'],
	// The tensors of one parameter, with its rates.
	arrange: ({momentum, parameters, ...parameter}) => ({momentum, parameters: parameters ?? [parameter]}),
	refused: [
		badArgument({momentum: Infinity}, /momentum must be a finite number/),
		badArgument({learningRate: undefined}, /learningRate must be a finite number/),
		badArgument({weightDecay: NaN}, /weightDecay must be a finite number/),
		badArgument({parameters: 'all'}, /parameters must be an array/),
	],
});
