import type {Activation} from '../../lib/device/native.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {activated} from '../../lib/selftest/reference/activate.ts';
import {
	linear,
	linearBackwardInput,
	linearBackwardWeights,
	type LinearGeometry,
} from '../../lib/selftest/reference/linear.ts';
import {badArgument, badType, testRefusals} from '../helpers/refusals.ts';
import {accumulation, tanhRoundings} from '../../lib/selftest/tolerance.ts';
import {assertClose} from '../helpers/tolerance.ts';
import {atOnce} from '../helpers/at-once.ts';

interface Case {
	title: string;
	geometry: LinearGeometry;
	activation?: Activation;
	bias?: false;
	addend?: true;
	misaligned?: true;
}

const cases: Case[] = [
	{title: 'fc6, narrow', geometry: [3, 2304, 40]},
	{title: 'fc8, narrow', geometry: [5, 128, 1000]},
	{title: 'tails', geometry: [17, 75, 53]},
	{title: 'tiles', geometry: [64, 96, 128]},
	{title: 'one picture', geometry: [1, 64, 24]},
	{title: '1,024 pictures', geometry: [1024, 12, 10]},
	{title: 'one picture, off 4, tanh', geometry: [1, 43, 29], activation: 'tanh'},
	{title: 'one input', geometry: [7, 1, 9]},
	{title: 'one class', geometry: [9, 33, 1]},
	{title: 'one of everything', geometry: [1, 1, 1]},
	{title: 'views', geometry: [6, 43, 29], misaligned: true},
	{title: 'relu', geometry: [6, 40, 30], activation: 'relu'},
	{title: 'tanh', geometry: [6, 40, 30], activation: 'tanh'},
	{title: 'no bias', geometry: [6, 40, 30], bias: false},
	{title: 'tanh without bias', geometry: [5, 31, 11], activation: 'tanh', bias: false},
	{title: 'addend', geometry: [17, 75, 53], addend: true},
	{title: 'addend, one picture, relu', geometry: [1, 64, 24], activation: 'relu', addend: true},
	{title: 'addend, views', geometry: [6, 43, 29], bias: false, addend: true, misaligned: true},
];

// Sums have one term for each product, one for the bias and one for the addend.
for (const dataType of realTypes) {
	for (const {title, geometry, activation = 'none', bias, addend, misaligned} of cases) {
		const [images, inputs, outputs] = geometry;
		for (const outputType of dataType === 'float32' ? [dataType] : realTypes) {
			forEachDevice(
				`linear ${dataType} to ${outputType}: ${title}`,
				async (t, bench) => {
					const input = bench.random.values(images * inputs, 1, dataType);
					const weights = bench.random.values(outputs * inputs, 2 / Math.sqrt(inputs), dataType);
					const biases = bias === false ? undefined : bench.random.values(outputs, 1, 'float32');
					const addends = addend && bench.random.values(images * outputs, 1, 'float32');
					const output = bench.output([images, outputs], outputType);
					operations.linear({
						input: bench.input([images, inputs], dataType, input),
						weights: bench.input([outputs, inputs], dataType, weights),
						bias: biases && bench.input([outputs], 'float32', biases),
						addend: addends && bench.input([images, outputs], 'float32', addends),
						output,
						activation,
					});
					const sums = atOnce(linear(geometry, input, weights, biases));
					addends?.forEach((term, index) => {
						sums.add(index, term);
					});
					const expected = activated(activation, sums);
					const extra = activation === 'tanh' ? tanhRoundings : 0;
					const roundings = (count: number): number => accumulation(count) + extra;
					assertClose(t, 'output', await bench.read(output), expected, outputType, roundings);
				},
				{misaligned},
			);
		}
		if (activation !== 'none' || addend) continue; // fused into the forward pass only
		forEachDevice(
			`linear backward ${dataType}: ${title}`,
			async (t, bench) => {
				const input = bench.random.values(images * inputs, 1, dataType);
				const weights = bench.random.values(outputs * inputs, 1, dataType);
				const gradient = bench.random.values(images * outputs, 1, dataType);
				const outputGradient = bench.input([images, outputs], dataType, gradient);
				const inputGradient = bench.output([images, inputs], dataType);
				const weightGradient = bench.output([outputs, inputs], 'float32');
				const biasGradient = bias === false ? undefined : bench.output([outputs], 'float32');
				operations.linearBackwardInput({
					outputGradient,
					weights: bench.input([outputs, inputs], dataType, weights),
					inputGradient,
				});
				operations.linearBackwardWeights({
					input: bench.input([images, inputs], dataType, input),
					outputGradient,
					weightGradient,
					biasGradient,
				});
				const expectedInput = atOnce(linearBackwardInput(geometry, gradient, weights));
				const expected = atOnce(linearBackwardWeights(geometry, input, gradient));
				assertClose(t, 'inputGradient', await bench.read(inputGradient), expectedInput, dataType);
				assertClose(t, 'weightGradient', await bench.read(weightGradient), expected.weightGradient, 'float32');
				if (!biasGradient) return;
				assertClose(t, 'biasGradient', await bench.read(biasGradient), expected.biasGradient, 'float32');
			},
			{misaligned},
		);
	}
}

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
		badArgument({activation: 'gelu'}, /activation must be 'none', 'relu' or 'tanh'/),
		badType((make) => ({output: make([3, 5], 'bfloat16')}), /output must be float32, got bfloat16/),
	],
});
testRefusals('linearBackwardInput', {
	tensors: (make) => ({outputGradient: make([3, 5]), weights: make([5, 7]), inputGradient: make([3, 7])}),
});
testRefusals('linearBackwardWeights', {
	tensors: (make) => ({
		input: make([3, 7]),
		outputGradient: make([3, 5]),
		weightGradient: make([5, 7]),
		biasGradient: make([5]),
	}),
	optional: ['biasGradient'],
});
