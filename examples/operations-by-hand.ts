// The operations without the net: a convolution, a linear layer and a loss, forward and backward, and an update.
//
//   npx tsx examples/operations-by-hand.ts cpu
//
// Shapes and formulas stand in core/operations.h. Calls queue and return; only read() and synchronize() wait.
import {openDevice, operations, type Shape, type Tensor} from 'alexnet-cuda/ops';

const [images, side, channels, kernels, classes] = [8, 12, 3, 16, 3] as const;
const device = openDevice(process.argv[2] ?? 'cpu');
try {
	const tensor = (...shape: Shape): Tensor => device.allocate(shape, 'float32');

	// Noisy pictures, brightest in their class's channel. Channels come last, as everywhere on a device.
	const input = tensor(images, side, side, channels);
	const labels = device.allocate([images], 'int32');
	const pixels = side * side * channels;
	const values = Float32Array.from({length: images * pixels}, (_, index) => {
		const isBright = index % channels === Math.floor(index / pixels) % classes;
		return Math.random() - 0.5 + (isBright ? 1 : 0);
	});
	input.write(values);
	labels.write(Int32Array.from({length: images}, (_, image) => image % classes));

	/** A parameter with what training it takes; `stream` tells its random numbers from the others'. */
	const parameter = (stream: number, deviation: number, ...shape: Shape) => {
		const own = {weights: tensor(...shape), velocity: tensor(...shape), gradient: tensor(...shape)};
		operations.normal({output: own.weights, seed: 1, stream, deviation});
		operations.fill({output: own.velocity, value: 0});
		return {...own, learningRate: 0.01, weightDecay: 0};
	};
	// [kernels, rows, columns, channels] and [outputs, inputs].
	const filter = parameter(1, 0.2, kernels, 3, 3, channels);
	const filterBias = parameter(2, 0, kernels);
	const inputs = side * side * kernels;
	const matrix = parameter(3, 0.02, classes, inputs);
	const matrixBias = parameter(4, 0, classes);
	const parameters = [filter, filterBias, matrix, matrixBias];

	const convolution = {stride: 1, pads: [1, 1, 1, 1]} as const;
	const hidden = tensor(images, side, side, kernels);
	// The same memory as a matrix: a view costs nothing.
	const flat = hidden.view([images, inputs], 'float32');
	const logits = tensor(images, classes);
	const result = tensor(3);
	const logitsGradient = tensor(images, classes);
	const hiddenGradient = tensor(images, side, side, kernels);
	const flatGradient = hiddenGradient.view([images, inputs], 'float32');

	for (let step = 1; step <= 20; ++step) {
		operations.conv2d({
			input,
			weights: filter.weights,
			bias: filterBias.weights,
			output: hidden,
			activation: 'relu',
			...convolution,
		});
		operations.linear({input: flat, weights: matrix.weights, bias: matrixBias.weights, output: logits});
		operations.softmaxLoss({logits, labels, result, gradient: logitsGradient});

		operations.linearBackwardWeights({
			input: flat,
			outputGradient: logitsGradient,
			weightGradient: matrix.gradient,
			biasGradient: matrixBias.gradient,
		});
		operations.linearBackwardInput({
			outputGradient: logitsGradient,
			weights: matrix.weights,
			inputGradient: flatGradient,
		});
		// relu's derivative is taken from its output, and may overwrite the gradient that comes in.
		operations.activateBackward({
			output: hidden,
			outputGradient: hiddenGradient,
			inputGradient: hiddenGradient,
			activation: 'relu',
		});
		operations.conv2dBackwardWeights({
			...{input, outputGradient: hiddenGradient, ...convolution},
			...{weightGradient: filter.gradient, biasGradient: filterBias.gradient},
		});
		operations.sgd({momentum: 0.9, parameters});

		// The first wait of the step. What failed on the queue since the last one rejects here, by the operation's name.
		const sums = new Float32Array(3);
		await result.read(sums);
		const [loss = NaN, right = NaN] = sums;
		console.log(`step ${step}: loss ${(loss / images).toFixed(4)}, right ${right} of ${images}`);
	}
} finally {
	// The tensors' memory goes with them; the device itself must be closed.
	device.close();
}
