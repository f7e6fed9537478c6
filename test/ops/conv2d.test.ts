import {badArgument, badShape, badType, testRefusals} from '../helpers/refusals.ts';
import {testCases} from '../helpers/cases.ts';

testCases('conv2d', 'conv2dBackwardInput', 'conv2dBackwardWeights');

const convolution = {stride: 1, pads: [1, 1, 1, 1], groups: 1};
const refusedConvolutions = [
	badArgument({stride: 0}, /stride and groups must be at least 1/),
	badArgument({groups: 0}, /stride and groups must be at least 1/),
	badArgument({groups: 3}, /3 groups must divide 8 channels and 6 kernels/),
	badArgument({groups: 4}, /4 groups must divide 8 channels and 6 kernels/),
	badArgument({stride: 1.5}, /stride must be an integer/),
	badArgument({stride: '1'}, /stride must be a finite number/),
	badArgument({pads: [1, 1, 1]}, /pads must be \[top, left, bottom, right\]/),
	badArgument({pads: undefined}, /pads must be an array of integers/),
	badArgument({pads: [1, 1, 0.5, 1]}, /pads must be an array of integers/),
	badArgument({pads: [-1, 1, 1, 1]}, /pads must not be negative/),
	badShape({pads: [2, 1, 1, 1]}, /must be \[2, 6, 4, 6\], got \[2, 5, 4, 6\]/),
	badArgument({tf32: 'yes'}, /tf32 must be true or false/),
	badShape({groups: 2}, /must be \[6, 3, 3, 4\], got \[6, 3, 3, 8\]/),
];

testRefusals('conv2d', {
	tensors: (make) => ({
		input: make([2, 5, 4, 8]),
		weights: make([6, 3, 3, 8]),
		bias: make([6]),
		addend: make([2, 5, 4, 6]),
		output: make([2, 5, 4, 6]),
	}),
	options: convolution,
	optional: ['bias', 'addend'],
	refused: [
		...refusedConvolutions,
		badArgument((make) => {
			const output = make([2, 5, 4, 6]);
			return {output, addend: output};
		}, /addend must not be output/),
		badArgument({activation: 'gelu'}, /activation must be 'none', 'relu', 'tanh' or 'sigmoid'/),
		badShape((make) => ({input: make([2, 1, 1, 8]), pads: [0, 1, 0, 1]}), /a window of 3x3 does not fit into/),
		badType((make) => ({weights: make([6, 3, 3, 8], 'bfloat16')}), /weights must be float32, got bfloat16/),
		badType((make) => ({bias: make([6], 'bfloat16')}), /bias must be float32, got bfloat16/),
	],
});
testRefusals('conv2dBackwardInput', {
	tensors: (make) => ({
		outputGradient: make([2, 5, 4, 6]),
		weights: make([6, 3, 3, 8]),
		inputGradient: make([2, 5, 4, 8]),
	}),
	options: convolution,
	refused: refusedConvolutions,
});
testRefusals('conv2dBackwardWeights', {
	tensors: (make) => ({
		input: make([2, 5, 4, 8]),
		outputGradient: make([2, 5, 4, 6]),
		weightGradient: make([6, 3, 3, 8]),
		biasGradient: make([6]),
	}),
	options: convolution,
	optional: ['biasGradient'],
	refused: [
		...refusedConvolutions,
		badType(
			(make) => ({weightGradient: make([6, 3, 3, 8], 'bfloat16')}),
			/weightGradient must be float32, got bfloat16/,
		),
	],
});
