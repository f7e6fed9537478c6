import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {promisify} from 'node:util';
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {exportOnnx} from '../../lib/interchange/export-onnx.ts';
import type {Architecture} from '../../lib/net/architecture.ts';
import {centres, largestDifference, randomPictures, runOnnx, temporaryPaths} from '../helpers/interchange.ts';
import {meetingNet, tinyModel, tinyNet, tinyStatistics} from '../helpers/networks.ts';
import {writeGraph} from '../helpers/onnx.ts';
import {pythonWithTorch} from '../helpers/torch.ts';

const at = temporaryPaths();

/** What a graph says of a net: not how parameters started, nor whether the only column is a layer's own or all. */
const shape = ({layers, ...rest}: Architecture): unknown => ({
	...rest,
	layers: layers.map((layer) => ({...layer, initial: undefined, ...(rest.columns === 1 && {reads: undefined})})),
});

for (const [title, architecture] of [
	['two columns', tinyNet()],
	['columns that meet', meetingNet()],
	['one column', {...tinyNet(), columns: 1}],
] as const) {
	test(`what was exported comes back, byte for byte: ${title}`, async (t) => {
		await using model = await tinyModel({architecture, seed: Math.floor(Math.random() * 1e6)});
		const mean = Float32Array.from(tinyStatistics.mean, () => Math.fround(Math.random() * 255));
		model.statistics = {mean, pca: {...tinyStatistics.pca, values: Float32Array.of(900.1, 400.3, 0.7)}};
		const path = at(`${title}.onnx`);
		await exportOnnx(model, path);
		await using back = await AlexNet.import(path);
		t.deepEqual(shape(back.architecture), shape(architecture));
		t.deepEqual(back.labels, model.labels);
		t.deepEqual(back.statistics, model.statistics);
		t.deepEqual(await back.getParameters(), await model.getParameters());
	});
}

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
			...{w1: {shape: [8, 3, 7, 7], scale: 0.01}, b1: {shape: [8], scale: 0.1}},
			...{w2: {shape: [6, 4, 5, 5], scale: 0.05}, b2: {shape: [6], scale: 0.1}},
			...{w3: {shape: [10, 216], scale: 0.05}, b3: {shape: [10], scale: 0.1}},
			...{w4: {shape: [10, 4], scale: 0.1}, b4: {shape: [4], scale: 0.1}},
			flat: [1, 216],
		},
	});
	await using model = await AlexNet.import(path);
	const images = randomPictures(1, 31);
	t.deepEqual(
		model.architecture.layers.map(({name}) => name),
		['conv1', 'pool1', 'conv2', 'fc3', 'dropout3', 'fc4'],
	);
	const theirs = await runOnnx(path, centres(model, images), 31, 'data');
	t.true(largestDifference(await model.predict(images), theirs) < 1e-4);
});

const python = pythonWithTorch();

/** Writes a graph with PyTorch's own exporter, and what it gives for these planes. */
const program = `
import sys, torch, torch.nn as nn
path, normalized, pictures, results = sys.argv[1:]
torch.manual_seed(int.from_bytes(open('/dev/urandom', 'rb').read(4), 'big'))
norm = [nn.LocalResponseNorm(5, 0.1, 0.75, 2.0)] if normalized == 'LRN' else []
pool = [] if normalized == 'LRN' else [nn.AdaptiveAvgPool2d((2, 2))]
net = nn.Sequential(
    nn.Conv2d(3, 16, 7, 2, 2), nn.ReLU(), *norm, nn.MaxPool2d(3, 2),
    nn.Conv2d(16, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), *pool, nn.Flatten(),
    nn.Dropout(), nn.Linear(48, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 5)).eval()
example = torch.frombuffer(bytearray(open(pictures, 'rb').read()), dtype=torch.float32).reshape(-1, 3, 27, 27)
torch.onnx.export(net, example, path, opset_version=13, input_names=['data'])
open(results, 'wb').write(torch.softmax(net(example), 1).detach().numpy().tobytes())
`;

const writeWithTorch = async (path: string, normalized: boolean, planes: Float32Array): Promise<Float32Array> => {
	const [pictures, results] = [`${path}.pictures`, `${path}.results`];
	await writeFile(pictures, planes);
	const run = promisify(execFile);
	await run(python ?? 'python3', ['-c', program, path, normalized ? 'LRN' : '', pictures, results]);
	const bytes = await readFile(results);
	return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

for (const normalized of [false, true]) {
	const title = normalized ? 'LRN in single operations' : "torchvision's layers";
	(python === undefined ? test.skip : test)(`a graph of PyTorch's exporter: ${title}`, async (t) => {
		const path = at(`torch ${title}.onnx`);
		const images = randomPictures(1, 27);
		const planes = Float32Array.from(
			{length: images.length},
			(_, at) => images[(at % 729) * 3 + Math.floor(at / 729)]!,
		);
		const theirs = await writeWithTorch(path, normalized, planes);
		await using model = await AlexNet.import(path);
		t.is(
			model.architecture.layers.some(({type}) => type === 'lrn'),
			normalized,
		);
		t.true(largestDifference(await model.predict(images), theirs) < 1e-4);
	});
}
