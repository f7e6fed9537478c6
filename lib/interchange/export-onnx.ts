import {checked, filePath} from '../base/check.ts';
import {packageVersion} from '../base/package.ts';
import {outgoingParameters} from '../checkpoint/checkpoint.ts';
import type {OutgoingTensor} from '../checkpoint/safetensors.ts';
import {bytesOf, writeWhole} from '../checkpoint/write-whole.ts';
import {elementsOf} from '../device/memory.ts';
import {aModel, type Model} from '../net/model.ts';
import {
	entryFields,
	graphFields,
	modelFields,
	nodeMessage,
	opsetFields,
	producer,
	tensorStart,
	valueMessage,
} from './onnx.ts';
import {meanImage, nodesOf, pictures, probabilities, type Constant} from './onnx-nodes.ts';
import {pcaInJson} from './read-net.ts';
import {toPlanes} from './pixels.ts';
import {bytesToFollow, encoded, integer, message, text, type Field} from './protobuf.ts';

/** Of 2021: what reads ONNX at all reads these. */
const [irVersion, opset] = [7, 13];

/**
 * Writes the net for other programs, as one ONNX graph (opset 13): `pictures`, [N, 3, crop, crop] floats on the 0-255
 * scale, red first, to `probabilities`, [N, classes]. The mean image's centre is subtracted in the graph. Labels, sides of
 * pictures and the colours' principal components are in its metadata, as JSON.
 *
 * @throws ALEXNET_CHECKPOINT where the file cannot be written, ALEXNET_LOSS where a weight is no finite number,
 * ALEXNET_DISPOSED after dispose().
 */
export async function exportOnnx(model: Model, path: string): Promise<void> {
	checked('model', aModel, model);
	checked('path', filePath, path);
	await model.exclusively(() => write(model, path));
}

/** A tensor of the graph, to be read when its turn comes. */
interface Initializer {
	/** Its message but for the values. */
	readonly start: Uint8Array;
	readonly byteLength: number;
	readonly read: () => Promise<Constant['values']>;
}

async function write(model: Model, path: string): Promise<void> {
	const {architecture, statistics, classes} = model;
	const {imageSize, crop} = architecture;
	const {nodes, constants} = nodesOf(architecture);
	const mean = {name: meanImage, shape: [1, 3, imageSize, imageSize], values: toPlanes(statistics.mean)};
	const initializers = [...outgoingParameters(model, path)('weights').map(weights), ...[mean, ...constants].map(still)];
	const graph = encoded(
		text(graphFields.name, 'AlexNet'),
		...nodes.map(nodeMessage),
		valueMessage(graphFields.input, pictures, ['N', 3, crop, crop]),
		valueMessage(graphFields.output, probabilities, ['N', classes]),
	);
	const bytes = initializers.reduce((sum, {start, byteLength}) => sum + start.length + byteLength, graph.length);
	await writeWhole(path, async (put) => {
		await put(encoded(...aboutModel(model), bytesToFollow(modelFields.graph, bytes)));
		await put(graph);
		for (const {start, read} of initializers) {
			await put(start);
			await put(bytesOf(await read()));
		}
	});
}

function weights(tensor: OutgoingTensor): Initializer {
	const {name, shape} = tensor;
	return {start: tensorStart(name, shape, 'float'), byteLength: elementsOf(shape) * 4, read: () => tensor.read()};
}

function still({name, shape, values}: Constant): Initializer {
	const type = values instanceof Float32Array ? 'float' : 'integer';
	return {start: tensorStart(name, shape, type), byteLength: values.byteLength, read: () => Promise.resolve(values)};
}

function aboutModel({labels, statistics, architecture: {imageSize, crop}}: Model): Field[] {
	const entry = (key: string, value: unknown): Field =>
		message(modelFields.metadata, text(entryFields.key, key), text(entryFields.value, JSON.stringify(value)));
	return [
		integer(modelFields.irVersion, irVersion),
		text(modelFields.producer, producer),
		text(modelFields.producerVersion, packageVersion),
		message(modelFields.opset, text(opsetFields.domain, ''), integer(opsetFields.version, opset)),
		entry('labels', labels),
		entry('pictures', {imageSize, crop}),
		entry('pca', pcaInJson(statistics)),
	];
}
