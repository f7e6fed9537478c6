import {badArgument, badType, testRefusals} from '../helpers/refusals.ts';
import {testCases} from '../helpers/cases.ts';

testCases('linear', 'linearBackwardInput', 'linearBackwardWeights');

testRefusals('linear', {
	tensors: (make) => ({
		input: make([3, 7]),
		weights: make([5, 7]),
		bias: make([5]),
		addend: make([3, 5]),
		output: make([3, 5]),
	}),
	optional: ['bias', 'addend'],
	refused: [
		badArgument((make) => {
			const output = make([3, 5]);
			return {output, addend: output};
		}, /addend must not be output/),
		badArgument({activation: 'gelu'}, /activation must be 'none', 'relu', 'tanh' or 'sigmoid'/),
		badArgument({tf32: 1}, /tf32 must be true or false/),
		badType((make) => ({output: make([3, 5], 'bfloat16')}), /output must be float32, got bfloat16/),
	],
});
testRefusals('linearBackwardInput', {
	tensors: (make) => ({outputGradient: make([3, 5]), weights: make([5, 7]), inputGradient: make([3, 7])}),
	refused: [badArgument({tf32: null}, /tf32 must be true or false/)],
});
testRefusals('linearBackwardWeights', {
	tensors: (make) => ({
		input: make([3, 7]),
		outputGradient: make([3, 5]),
		weightGradient: make([5, 7]),
		biasGradient: make([5]),
	}),
	optional: ['biasGradient'],
	refused: [badArgument({tf32: 0}, /tf32 must be true or false/)],
});
