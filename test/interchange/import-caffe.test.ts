// What Caffe's files hold, against a graph of the same layers that ONNX Runtime runs.
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {float, integer, writeCaffeModel, writeMean} from '../helpers/caffe.ts';
import {centres, largestDifference, randomPictures, runOnnx, temporaryPaths} from '../helpers/interchange.ts';
import {drawn, writeGraph, type Floats} from '../helpers/onnx.ts';

const at = temporaryPaths();
const [crop, meanSize, classes] = [31, 40, 4];

/** Blue first, and at the centre. */
function prepared(images: Uint8Array, imageSize: number, mean: Floats): Float32Array {
	const planes = centres({imageSize, crop}, images);
	const [side = 1] = mean.shape.slice(-1);
	const start = Math.floor((side - crop) / 2);
	const plane = crop * crop;
	return planes.map((_, place) => {
		const channel = Math.floor(place / plane) % 3;
		const [y, x] = [Math.floor((place % plane) / crop), place % crop];
		const inMean = mean.values.length === 3 ? channel : (channel * side + start + y) * side + start + x;
		return planes[place + (2 - 2 * channel) * plane]! - mean.values[inMean]!;
	});
}

for (const [title, isOld, hasMeanFile] of [
	['layers of the new form, and a mean image', false, true],
	['layers of the old form, and a mean image', true, true],
	['a mean colour that training subtracted', false, false],
] as const) {
	test(`a .caffemodel: ${title}`, async (t) => {
		const path = at(`${title}.caffemodel`);
		const mean = hasMeanFile
			? {shape: [3, meanSize, meanSize], values: drawn([3 * meanSize ** 2], 200).values}
			: {shape: [3], values: Float32Array.of(104, 117, 123)};
		const weights = {
			...{w1: drawn([8, 3, 7, 7], 0.01), b1: drawn([8], 0.1), w2: drawn([6, 4, 5, 5], 0.05), b2: drawn([6], 0.1)},
			...{w3: drawn([10, 216], 0.05), b3: drawn([10], 0.1), w4: drawn([classes, 10], 0.1), b4: drawn([classes], 0.1)},
		};
		const {w1, b1, w2, b2, w3, b3, w4, b4} = weights;
		writeCaffeModel(
			path,
			[
				{
					...{type: 'Data', name: 'data'},
					parameters: [
						integer(2, 1),
						integer(3, crop),
						...(hasMeanFile ? [] : [...mean.values].map((v) => float(5, v))),
					],
				},
				{
					type: 'Convolution',
					name: 'conv1',
					blobs: [w1, b1],
					parameters: [integer(1, 8), integer(4, 7), integer(6, 2)],
				},
				{type: 'ReLU', name: 'relu1'},
				{type: 'LRN', name: 'norm1', parameters: [integer(1, 5), float(2, 0.25), float(3, 0.75)]},
				{type: 'Pooling', name: 'pool1', parameters: [integer(1, 0), integer(2, 3), integer(3, 2)]},
				{
					...{type: 'Convolution', name: 'conv2', blobs: [w2, b2]},
					parameters: [integer(1, 6), integer(3, 2), integer(4, 5), integer(5, 2)],
				},
				{type: 'ReLU', name: 'relu2'},
				{type: 'InnerProduct', name: 'fc6', blobs: [w3, b3], parameters: [integer(1, 10)]},
				{type: 'ReLU', name: 'relu6'},
				{type: 'Dropout', name: 'drop6', parameters: [float(1, 0.4)]},
				{type: 'InnerProduct', name: 'fc8', blobs: [w4, b4], parameters: [integer(1, classes)]},
				{type: 'SoftmaxWithLoss', name: 'loss'},
			],
			isOld,
		);
		const graph = at(`${title}.onnx`);
		writeGraph(graph, {
			crop,
			nodes: [
				{operator: 'Conv', constants: ['w1', 'b1'], attributes: {strides: [2, 2]}},
				{operator: 'Relu'},
				{operator: 'LRN', attributes: {size: 5, alpha: {float: 0.25}, beta: {float: 0.75}, bias: {float: 1}}},
				{operator: 'MaxPool', attributes: {kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1}},
				{operator: 'Conv', constants: ['w2', 'b2'], attributes: {pads: [2, 2, 2, 2], group: 2}},
				{operator: 'Relu'},
				{operator: 'Flatten'},
				{operator: 'Gemm', constants: ['w3', 'b3'], attributes: {transB: 1}},
				{operator: 'Relu'},
				{operator: 'Gemm', constants: ['w4', 'b4'], attributes: {transB: 1}},
				{operator: 'Softmax'},
			],
			constants: weights,
		});
		const binaryProto = at(`${title}.binaryproto`);
		writeMean(binaryProto, mean);
		await using model = await AlexNet.import(path, hasMeanFile ? {mean: binaryProto} : {});
		const images = randomPictures(1, model.architecture.imageSize);
		t.is(model.architecture.imageSize, hasMeanFile ? meanSize : crop);
		const theirs = await runOnnx(graph, prepared(images, model.architecture.imageSize, mean), crop, 'data');
		t.true(largestDifference(await model.predict(images), theirs) < 1e-4);
		t.deepEqual(
			model.architecture.layers.map(({name}) => name),
			['conv1', 'lrn1', 'pool1', 'conv2', 'fc3', 'dropout3', 'fc4'],
		);
	});
}
