// Nets between this package and PyTorch, which computes the same with them.
import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {promisify} from 'node:util';
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {exportSafetensors} from '../../lib/interchange/export-safetensors.ts';
import {classesOf} from '../../lib/net/architecture.ts';
import type {Model} from '../../lib/net/model.ts';
import {largestDifference, randomPictures, strong, temporaryPaths, torchvisionNet} from '../helpers/interchange.ts';
import {centres} from '../helpers/planes.ts';
import {meetingNet, tinyModel} from '../helpers/networks.ts';
import {pythonWithTorch} from '../helpers/torch.ts';

const at = temporaryPaths();
const python = pythonWithTorch();
const torchTest = python === undefined ? test.skip : test;

/** `x` is what the net sees of the pictures, [N, 3, side, side]; what the program leaves in `y` is its answer. */
async function torch(program: string, path: string, planes: Float32Array, side: number): Promise<Float32Array> {
	const [pictures, results] = [`${path}.pictures`, `${path}.results`];
	await writeFile(pictures, planes);
	const whole = `
import sys, torch, torch.nn as nn
path, pictures, results, side = *sys.argv[1:4], int(sys.argv[4])
torch.manual_seed(int.from_bytes(open('/dev/urandom', 'rb').read(4), 'big'))
x = torch.frombuffer(bytearray(open(pictures, 'rb').read()), dtype=torch.float32).reshape(-1, 3, side, side)
${program}
open(results, 'wb').write(torch.softmax(y, 1).detach().numpy().tobytes())
`;
	await promisify(execFile)(python ?? '', ['-c', whole, path, pictures, results, String(side)]);
	const {buffer, byteOffset, length} = await readFile(results);
	return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

for (const [title, normalization, adaptive] of [
	['its adaptive pooling', '', ', nn.AdaptiveAvgPool2d((2, 2))'],
	['LRN in single operations', ', nn.LocalResponseNorm(5, 0.1, 0.75, 2.0)', ''],
] as const) {
	torchTest(`a graph of PyTorch's exporter: ${title}`, async (t) => {
		const path = at(`${title}.onnx`);
		const program = `
net = nn.Sequential(
    nn.Conv2d(3, 16, 7, 2, 2), nn.ReLU()${normalization}, nn.MaxPool2d(3, 2),
    nn.Conv2d(16, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)${adaptive}, nn.Flatten(),
    nn.Dropout(), nn.Linear(48, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 5)).eval()
y = net(x)
torch.onnx.export(net, x, path, opset_version=13)
`;
		const images = randomPictures(1, 27);
		const theirs = await torch(program, path, centres({imageSize: 27, crop: 27}, images), 27);
		await using model = await AlexNet.import(path);
		t.is(model.architecture.layers.filter(({type}) => type === 'lrn').length, normalization === '' ? 0 : 1);
		t.true(largestDifference(await model.predict(images), theirs) < 1e-4);
	});
}

/** torchvision's alexnet with few channels, for pictures of which pooling leaves a pixel. */
const torchvision = `
class AlexNet(nn.Module):
    def __init__(self):
        super().__init__()
        relu, pool = lambda: nn.ReLU(inplace=True), lambda: nn.MaxPool2d(3, 2)
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 11, 4, 2), relu(), pool(), nn.Conv2d(8, 12, 5, padding=2), relu(), pool(),
            nn.Conv2d(12, 10, 3, padding=1), relu(), nn.Conv2d(10, 9, 3, padding=1), relu(),
            nn.Conv2d(9, 7, 3, padding=1), relu(), pool())
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(7, 20), relu(), nn.Dropout(), nn.Linear(20, 16), relu(), nn.Linear(16, 5))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))

net = AlexNet().eval()
`;

const [usualSide, side] = [64, 63];

for (const [title, saved] of [
	['a state dict', 'net.state_dict()'],
	[
		'one among other things, of a net on several GPUs',
		"{'epoch': 3, 'best': 0.5, 'arch': 'alexnet', 'state_dict': {'module.' + n: p for n, p in net.named_parameters()}}",
	],
] as const) {
	torchTest(`torchvision's alexnet in a .pth: ${title}`, async (t) => {
		const path = at(`${title}.pth`);
		const program = `${torchvision}
torch.save(${saved}, path)
mean, deviation = (torch.tensor(v).reshape(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
y = net((x / 255 - mean) / deviation)
`;
		const images = randomPictures(3, side);
		const theirs = await torch(program, path, centres({imageSize: side, crop: side}, images), side);
		await using model = await AlexNet.import(path, {crop: side});
		t.true(largestDifference(await model.predict(images), theirs) < 1e-4);
		t.deepEqual(
			model.parameters.map(({name}) => name).filter((name) => name.endsWith('.weight')),
			['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'fc6', 'fc7', 'fc8'].map((name) => `${name}.weight`),
		);
	});
}

async function trained(architecture: Model['architecture']): Promise<Model> {
	const {imageSize} = architecture;
	const classes = classesOf(architecture);
	const labels = Array.from({length: classes}, (_, index) => `class ${index}`);
	const statistics = {
		mean: Float32Array.from({length: imageSize ** 2 * 3}, () => Math.random() * 255),
		pca: {values: new Float32Array(3), vectors: new Float32Array(9)},
	};
	const model = await tinyModel({architecture, labels, seed: Math.floor(Math.random() * 1e6)}, statistics);
	return model;
}

torchTest("the guide's PyTorch module runs what was exported", async (t) => {
	const guide = await readFile('docs/interchange.md', 'utf8');
	const [, module = ''] = /```python\n(import json.*?)```/s.exec(guide) ?? [];
	for (const architecture of [strong(meetingNet()), torchvisionNet(usualSide, side)]) {
		await using model = await trained(architecture);
		const path = at(`${architecture.columns}.safetensors`);
		await exportSafetensors(model, path);
		const images = randomPictures(2, architecture.imageSize);
		const planes = centres(architecture, images);
		const theirs = await torch(`${module}\ny = AlexNet(path).eval()(x)`, path, planes, architecture.crop);
		t.true(largestDifference(await model.predict(images), theirs) < 1e-5);
	}
});

torchTest("torchvision's alexnet loads what was exported of a net with its layers", async (t) => {
	await using model = await trained(torchvisionNet(usualSide, side));
	const path = at('owt.safetensors');
	await exportSafetensors(model, path);
	const program = `${torchvision}
import json, struct
data = open(path, 'rb').read()
start = 8 + struct.unpack('<Q', data[:8])[0]
entries = {n: e for n, e in json.loads(data[8:start]).items() if n != '__metadata__'}
weights = {n: torch.frombuffer(bytearray(data[start + e['data_offsets'][0]:start + e['data_offsets'][1]]),
    dtype=torch.float32).reshape(e['shape']) for n, e in entries.items()}
mean = weights.pop('mean')
net.load_state_dict(weights)
y = net(x - mean[:, :side, :side])
`;
	const images = randomPictures(2, usualSide);
	const theirs = await torch(program, path, centres(model.architecture, images), side);
	t.true(largestDifference(await model.predict(images), theirs) < 1e-5);
});
