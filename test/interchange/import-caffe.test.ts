// What Caffe's files hold, against a graph of the same layers that ONNX Runtime runs.
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {float, integer} from '../../lib/interchange/protobuf.ts';
import {caffeNet, caffeWeights, crop, writeCaffeModel, writeMean} from '../helpers/caffe.ts';
import {largestDifference, randomPictures, runOnnx, temporaryPaths} from '../helpers/interchange.ts';
import {centres} from '../helpers/planes.ts';
import {drawn, writeGraph, type Floats} from '../helpers/onnx.ts';

const at = temporaryPaths();
const meanSize = 40;

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

for (const [title, isOld, hasMeanFile, activation = 'ReLU', operator = 'Relu'] of [
	['layers of the new form, and a mean image', false, true],
	['layers of the old form, and a mean image', true, true],
	['a mean colour that training subtracted', false, false],
	['a sigmoid', false, true, 'Sigmoid', 'Sigmoid'],
	['a sigmoid of the old form', true, true, 'Sigmoid', 'Sigmoid'],
	['a tanh of the old form', true, true, 'TanH', 'Tanh'],
] as const) {
	test(`a .caffemodel: ${title}`, async (t) => {
		const path = at(`${title}.caffemodel`);
		const mean = hasMeanFile
			? {shape: [3, meanSize, meanSize], values: drawn([3 * meanSize ** 2], 200).values}
			: {shape: [3], values: Float32Array.of(104, 117, 123)};
		const weights = caffeWeights();
		const training = [integer(3, crop), ...(hasMeanFile ? [] : [...mean.values].map((value) => float(5, value)))];
		writeCaffeModel(path, caffeNet(weights, training, activation), isOld);
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
				{operator},
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
