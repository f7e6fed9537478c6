// Runs every kind of kernel on cuda:0, forward and backward, on random tensors with odd sizes, and prints a digest of the
// bits of each result: [name, digest] in JSON, line by line. A child process of schedules.test.ts.
import {createHash} from 'node:crypto';
import {
	openDevice,
	operations as run,
	type ConvOptions,
	type DataType,
	type Shape,
	type Tensor,
} from '../../lib/ops.ts';

const device = openDevice('cuda:0');
let draws = 0;

const output = (shape: Shape, dataType: DataType = 'float32'): Tensor => device.allocate(shape, dataType);

/** Random numbers, the same in every process. */
function input(shape: Shape, dataType: DataType = 'float32', deviation = 1): Tensor {
	const values = output(shape);
	run.normal({output: values, seed: 2012, stream: draws++, deviation});
	if (dataType === 'float32') return values;
	const narrow = output(shape, dataType);
	run.cast({input: values, output: narrow});
	return narrow;
}

async function print(name: string, ...tensors: readonly Tensor[]): Promise<void> {
	const hash = createHash('sha256');
	for (const tensor of tensors) {
		const elements = tensor.shape.reduce((product, size) => product * size, 1);
		const values = tensor.dataType === 'float32' ? new Float32Array(elements) : new Uint16Array(elements);
		await tensor.read(values);
		hash.update(new Uint8Array(values.buffer));
	}
	console.log(JSON.stringify([name, hash.digest('hex')]));
}

interface Convolution extends ConvOptions {
	input: Shape;
	weights: Shape;
	output: Shape;
}

async function convolution(name: string, dataType: 'float32' | 'bfloat16', options: Convolution): Promise<void> {
	const {input: inputShape, weights: weightsShape, output: outputShape, ...shape} = options;
	const kernels = weightsShape[0]!;
	const images = input(inputShape, dataType),
		weights = input(weightsShape, dataType, 0.1),
		gradient = input(outputShape, dataType);
	const result = output(outputShape, dataType),
		inputGradient = output(inputShape, dataType),
		weightGradient = output(weightsShape),
		biasGradient = output([kernels]);
	run.conv2d({...shape, input: images, weights, bias: input([kernels]), output: result, activation: 'relu'});
	run.conv2dBackwardInput({...shape, outputGradient: gradient, weights, inputGradient});
	run.conv2dBackwardWeights({...shape, input: images, outputGradient: gradient, weightGradient, biasGradient});
	await print(`${name}, ${dataType}`, result, inputGradient, weightGradient, biasGradient);
}

async function linear(dataType: 'float32' | 'bfloat16', pictures: number): Promise<void> {
	const images = input([pictures, 200], dataType),
		weights = input([70, 200], dataType, 0.1),
		gradient = input([pictures, 70], dataType);
	const result = output([pictures, 70], dataType),
		inputGradient = output([pictures, 200], dataType),
		weightGradient = output([70, 200]),
		biasGradient = output([70]);
	run.linear({input: images, weights, bias: input([70]), output: result, activation: 'tanh'});
	run.linearBackwardInput({outputGradient: gradient, weights, inputGradient});
	run.linearBackwardWeights({input: images, outputGradient: gradient, weightGradient, biasGradient});
	await print(`linear of ${pictures}, ${dataType}`, result, inputGradient, weightGradient, biasGradient);
}

async function normalization(dataType: 'float32' | 'bfloat16', channels: number): Promise<void> {
	const shape = [2, 3, 5, channels];
	const images = input(shape, dataType),
		outputGradient = input(shape, dataType);
	const result = output(shape, dataType),
		inputGradient = output(shape, dataType);
	const lrn = {columns: 2, size: 5, alpha: 1e-2, beta: 0.75, k: 2};
	run.lrn({...lrn, input: images, output: result});
	run.lrnBackward({...lrn, input: images, outputGradient, inputGradient});
	await print(`lrn of ${channels}, ${dataType}`, result, inputGradient);
}

async function pooling(dataType: 'float32' | 'bfloat16'): Promise<void> {
	const pool = {size: 3, stride: 2, input: input([2, 9, 7, 20], dataType), output: output([2, 4, 3, 20], dataType)};
	const workspace = output([Math.max(1, run.maxPoolWorkspaceBytes(pool))], 'uint8');
	const inputGradient = output([2, 9, 7, 20], dataType);
	run.maxPool({...pool, workspace});
	const outputGradient = input([2, 4, 3, 20], dataType);
	run.maxPoolBackward({size: 3, stride: 2, outputGradient, inputGradient, workspace});
	await print(`maxPool, ${dataType}`, pool.output, inputGradient);
}

async function loss(): Promise<void> {
	const labels = output([9], 'int32');
	labels.write(Int32Array.from({length: 9}, (_, i) => i * 31));
	const result = output([3]),
		gradient = output([9, 300], 'bfloat16');
	run.softmaxLoss({logits: input([9, 300], 'float32', 3), labels, result, gradient});
	await print('softmaxLoss', result, gradient);
}

async function update(): Promise<void> {
	const sizes = [[5000], [3, 7], [64, 64]];
	const parameters = sizes.map((shape) => ({
		weights: input(shape),
		velocity: input(shape, 'float32', 0.01),
		gradient: input(shape),
		copy: output(shape, 'bfloat16'),
		learningRate: 0.01,
		weightDecay: 0.0005,
	}));
	run.sgd({momentum: 0.9, parameters});
	await print('sgd', ...parameters.flatMap(({weights, velocity, copy}) => [weights, velocity, copy]));
}

async function dropout(): Promise<void> {
	const dropped = output([5, 123], 'bfloat16');
	const options = {rate: 0.5, seed: 7, step: 3, layer: 1, features: 123};
	run.dropout({...options, input: input([5, 123], 'bfloat16'), output: dropped});
	await print('dropout', dropped);
}

for (const dataType of ['float32', 'bfloat16'] as const) {
	await convolution('conv1', dataType, {
		input: [2, 31, 31, 3],
		weights: [56, 11, 11, 3],
		output: [2, 6, 6, 56],
		stride: 4,
		pads: [0, 0, 0, 0],
	});
	await convolution('grouped conv2d', dataType, {
		input: [2, 7, 9, 32],
		weights: [24, 5, 5, 16],
		output: [2, 7, 9, 24],
		pads: [2, 2, 2, 2],
		groups: 2,
	});
	await convolution('conv2d with a deep sum', dataType, {
		input: [1, 6, 6, 130],
		weights: [66, 3, 3, 130],
		output: [1, 6, 6, 66],
		pads: [1, 1, 1, 1],
	});
	await linear(dataType, 1);
	await linear(dataType, 6);
	await normalization(dataType, 48);
	await normalization(dataType, 36);
	await pooling(dataType);
}
await dropout();
await loss();
await update();
device.close();
