import {operations} from '../../lib/ops.ts';
import {badArgument, badType, testRefusals} from '../helpers/refusals.ts';
import {testCases} from '../helpers/cases.ts';

const paper = {size: 5, alpha: 1e-4, beta: 0.75, k: 2};

testCases('lrn', 'lrnBackward');

const refusedLrns = [
	badArgument({size: 4}, /size must be odd/),
	badArgument({size: -1}, /size must be odd/),
	badArgument({columns: 3}, /columns must divide the channels/),
	badArgument({columns: 0}, /columns must divide the channels/),
	badArgument({alpha: NaN}, /alpha must be a finite number/),
	badArgument({beta: undefined}, /beta must be a finite number/),
	badArgument({k: '2'}, /k must be a finite number/),
	badType((make) => ({workspace: make([64])}), /workspace must be uint8, got float32/),
];
testRefusals('lrn', {
	tensors: (make) => ({input: make([2, 3, 3, 8]), output: make([2, 3, 3, 8])}),
	options: paper,
	refused: refusedLrns,
});
testRefusals('lrnBackward', {
	tensors: (make) => {
		const [input, outputGradient, inputGradient] = [make([2, 3, 3, 8]), make([2, 3, 3, 8]), make([2, 3, 3, 8])];
		const bytes = operations.lrnWorkspaceBytes({input, output: inputGradient, ...paper});
		const workspace = make([Math.max(1, bytes)], 'uint8');
		operations.lrn({input, output: inputGradient, workspace, ...paper});
		return {input, outputGradient, inputGradient, workspace};
	},
	options: paper,
	optional: ['workspace'],
	anyShape: ['workspace'],
	refused: [
		...refusedLrns,
		badArgument((make) => {
			const gradient = make([2, 3, 3, 8]);
			return {outputGradient: gradient, inputGradient: gradient};
		}, /inputGradient must not be outputGradient/),
	],
});
