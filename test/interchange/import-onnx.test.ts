import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {largestDifference, randomPictures, runOnnx, temporaryPaths} from '../helpers/interchange.ts';
import {centres} from '../helpers/planes.ts';
import {drawn, writeGraph} from '../helpers/onnx.ts';

const at = temporaryPaths();

test('a graph of the model zoo: grouped convolutions, LRN, Reshape, Gemm, Dropout, Softmax', async (t) => {
	const path = at('zoo.onnx');
	writeGraph(path, {
		crop: 31,
		nodes: [
			{
				operator: 'Conv',
				constants: ['w1', 'b1'],
				attributes: {kernel_shape: [7, 7], strides: [2, 2], pads: [0, 0, 0, 0]},
			},
			{operator: 'Relu'},
			{operator: 'LRN', attributes: {size: 5, alpha: {float: 0.25}, beta: {float: 0.75}, bias: {float: 1}}},
			{operator: 'MaxPool', attributes: {kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1]}},
			{operator: 'Conv', constants: ['w2', 'b2'], attributes: {pads: [2, 2, 2, 2], group: 2}},
			{operator: 'Relu'},
			{operator: 'Reshape', constants: ['flat']},
			{operator: 'Gemm', constants: ['w3', 'b3'], attributes: {transB: 1}},
			{operator: 'Relu'},
			{operator: 'Dropout', constants: []},
			{operator: 'Gemm', constants: ['w4', 'b4']},
			{operator: 'Softmax'},
		],
		constants: {
			...{w1: drawn([8, 3, 7, 7], 0.01), b1: drawn([8], 0.1)},
			...{w2: drawn([6, 4, 5, 5], 0.05), b2: drawn([6], 0.1)},
			...{w3: drawn([10, 216], 0.05), b3: drawn([10], 0.1)},
			...{w4: drawn([10, 4], 0.1), b4: drawn([4], 0.1)},
			flat: [1, 216],
		},
	});
	await using model = await AlexNet.import(path);
	const images = randomPictures(1, 31);
	t.deepEqual(
		model.architecture.layers.map(({name}) => name),
		['conv1', 'lrn1', 'pool1', 'conv2', 'fc3', 'dropout3', 'fc4'],
	);
	const theirs = await runOnnx(path, centres(model.architecture, images), 31, 'data');
	t.true(largestDifference(await model.predict(images), theirs) < 1e-4);
});
