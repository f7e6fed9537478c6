import {operations} from '../../lib/ops.ts';
import {roundTo} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badArgument, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';
import {testCases} from '../helpers/cases.ts';

testCases('sgd');

forEachDevice('copies are the new weights, rounded', async (t, bench) => {
	const shape = [64, 33];
	const draw = (scale: number): Float64Array => bench.random.values(64 * 33, scale, 'float32');
	const weights = bench.inPlace(shape, 'float32', draw(1));
	const copy = bench.output(shape, 'bfloat16');
	const [velocity, gradient] = [bench.inPlace(shape, 'float32', draw(0.1)), bench.input(shape, 'float32', draw(2))];
	const rates = {learningRate: 0.5, weightDecay: 0.1};
	operations.sgd({momentum: 0.9, parameters: [{weights, velocity, gradient, copy, ...rates}]});
	const rounded = (await bench.read(weights)).map((weight) => roundTo('bfloat16', weight));
	assertEqual(t, 'copy', await bench.read(copy), rounded);
});

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
