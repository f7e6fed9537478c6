import type {LrnOptions} from '../../lib/device/native.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {lrn, lrnBackward, lrnBackwardRoundings, lrnRoundings} from '../../lib/selftest/reference/lrn.ts';
import {badArgument, badType, testRefusals} from '../helpers/refusals.ts';
import {assertClose} from '../helpers/tolerance.ts';

interface Case {
	title: string;
	shape: [number, number, number, number];
	/** Of the inputs: at 100 the sum of squares weighs as much as k, at 1000 it dwarfs it. */
	scale: number;
	options: LrnOptions;
	misaligned?: true;
}

const paper = {size: 5, alpha: 1e-4, beta: 0.75, k: 2};

const cases: Case[] = [
	{title: 'layer 1', shape: [2, 5, 7, 96], scale: 100, options: {...paper, columns: 2}},
	{title: 'layer 1, one column', shape: [2, 5, 5, 48], scale: 100, options: {...paper, columns: 1}},
	{title: 'layer 2', shape: [1, 3, 3, 256], scale: 100, options: {...paper, columns: 2}},
	{title: 'all channels see each other', shape: [1, 3, 5, 96], scale: 100, options: {...paper, k: 1}},
	{title: 'small values', shape: [1, 4, 3, 32], scale: 1, options: {...paper, columns: 2}},
	{title: 'large sums', shape: [1, 4, 3, 32], scale: 1000, options: {...paper, columns: 2}},
	{title: 'a window of three', shape: [3, 2, 5, 8], scale: 100, options: {...paper, size: 3, columns: 2}},
	{title: 'beta of one half', shape: [2, 3, 3, 24], scale: 100, options: {...paper, beta: 0.5, k: 1}},
	{title: 'a strong alpha', shape: [2, 3, 3, 16], scale: 2, options: {...paper, alpha: 0.5, beta: 0.6}},
	{title: 'channels off 8', shape: [1, 3, 3, 50], scale: 100, options: {...paper, columns: 2}},
	{title: 'an odd number of channels', shape: [3, 1, 3, 11], scale: 100, options: paper},
	{title: 'fewer channels than the window', shape: [2, 3, 3, 3], scale: 100, options: paper},
	{title: 'one channel in each column', shape: [2, 3, 3, 2], scale: 100, options: {...paper, columns: 2}},
	{title: 'one element', shape: [1, 1, 1, 1], scale: 100, options: paper},
	{title: 'views', shape: [2, 3, 3, 16], scale: 100, options: {...paper, columns: 2}, misaligned: true},
];

for (const dataType of realTypes) {
	for (const {title, shape, scale, options, misaligned} of cases) {
		const length = shape.reduce((a, b) => a * b);
		for (const training of [false, true]) {
			forEachDevice(
				`lrn ${dataType}${training ? ' and its backward pass' : ''}: ${title}`,
				async (t, bench) => {
					const inputs = bench.random.values(length, scale, dataType);
					const input = bench.input(shape, dataType, inputs);
					const output = bench.output(shape, dataType);
					const workspace = training
						? bench.workspace(operations.lrnWorkspaceBytes({input, output, ...options}))
						: undefined;
					operations.lrn({input, output, workspace, ...options});
					const expected = lrn(options, shape[3], inputs);
					const roundings = (): number => lrnRoundings(options);
					assertClose(t, 'output', await bench.read(output), expected, dataType, roundings);
					if (!training) return;
					const gradients = bench.random.values(length, 1, dataType);
					const outputGradient = bench.input(shape, dataType, gradients);
					const inputGradient = bench.output(shape, dataType);
					operations.lrnBackward({input, outputGradient, inputGradient, workspace, ...options});
					assertClose(
						t,
						'inputGradient',
						await bench.read(inputGradient),
						lrnBackward(options, shape[3], inputs, gradients),
						dataType,
						() => lrnBackwardRoundings(options),
					);
				},
				{misaligned},
			);
		}
	}
}

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
