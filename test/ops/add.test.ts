import {badType, testRefusals} from '../helpers/refusals.ts';
import {testCases} from '../helpers/cases.ts';

testCases('add');

testRefusals('add', {
	tensors: (make) => ({input: make([3, 5]), addend: make([3, 5]), output: make([3, 5])}),
	refused: [badType((make) => ({input: make([3, 5], 'bfloat16')}), /addend must be bfloat16, got float32/)],
});
