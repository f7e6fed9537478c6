// Trains a net of four layers, written down as plain data, on a folder of pictures, pictures/<class>/*.jpg.
//
//   npx tsx examples/own-architecture.ts pictures small-net.safetensors 20
//
// docs/own-architectures.md tells what there is to write.
import {AlexNet, ImageFolder, type Architecture, type ConvSpec, type LinearSpec} from 'alexnet-cuda';

const [folder = 'pictures', checkpoint = 'small-net.safetensors', epochs = '20'] = process.argv.slice(2);

const imageSize = 64;
const data = await ImageFolder.open(folder, {imageSize});

const conv = (name: string, kernels: number, size: number, stride: number): ConvSpec => {
	const pad = (size - 1) / 2;
	const shape = {kernels, size, stride, pads: [pad, pad, pad, pad], reads: 'both'} as const;
	// Pictures come on the 0-255 scale, so the first layer starts small.
	const initial = name === 'conv1' ? {deviation: 0.01, bias: 0} : {gain: 1, bias: 0};
	return {type: 'conv2d', name, ...shape, activation: 'relu', initial};
};
const linear = (name: string, outputs: number, activation: 'relu' | 'none'): LinearSpec => {
	return {type: 'linear', name, outputs, activation, initial: {gain: activation === 'relu' ? 1 : 0.1, bias: 0}};
};

const architecture: Architecture = {
	imageSize,
	crop: 56,
	columns: 1,
	layers: [
		conv('conv1', 32, 5, 2),
		{type: 'maxPool', name: 'pool1', size: 3, stride: 2},
		conv('conv2', 64, 3, 1),
		{type: 'maxPool', name: 'pool2', size: 3, stride: 2},
		linear('fc3', 128, 'relu'),
		{type: 'dropout', name: 'dropout3', rate: 0.5},
		linear('fc4', data.labels.length, 'none'),
	],
};

await using model = await AlexNet.create({architecture, labels: data.labels, batchSize: 16, learningRate: 0.003});

for await (const report of model.train(data.train, {epochs: Number(epochs), validation: data.validation})) {
	if (report.type !== 'epoch') continue;
	console.log(`epoch ${report.epoch}: loss ${report.loss.toFixed(3)}, held out ${report.validation?.top1.toFixed(3)}`);
}

// The file holds the net itself besides its weights.
await model.save(checkpoint);
await using loaded = await AlexNet.load(checkpoint);
const {top1} = await loaded.evaluate(data.validation);
console.log(`${checkpoint}: ${loaded.architecture.layers.length} layers, held out ${top1.toFixed(3)}`);
