// What kind of file it is, by what is in it.
import {open} from 'node:fs/promises';
import {elementsOf} from '../device/memory.ts';
import {modelFields} from './onnx.ts';
import {Message} from './protobuf.ts';
import type {ReadNet} from './read-net.ts';
import {netFields} from './caffe.ts';
import {readCaffe, readMeanBlob} from './read-caffe.ts';
import {readPth} from './read-pth.ts';
import {readSafetensors, safetensorsHeader} from './read-safetensors.ts';
import {netOfStateDict} from './state-dict.ts';
import {isZip} from './zip.ts';
import {readOnnx} from './read-onnx.ts';

/** Twice what AlexNet has; a file of 20,000 classes fits. It is held in memory, and the weights beside it. */
const largestFile = 2 ** 29;

/** @throws an error that says why it is no net. */
export async function readNetFile(path: string, crop: number | undefined): Promise<ReadNet> {
	const bytes = await readWhole(path);
	const net = netIn(bytes, crop);
	const weights = [...net.tensors].filter(([name]) => name.endsWith('.weight'));
	const elements = weights.reduce((sum, [, {shape}]) => sum + elementsOf(shape), 0);
	if (elements * 4 > bytes.length) throw new Error('several of its layers share weights');
	return net;
}

function netIn(bytes: Buffer, crop: number | undefined): ReadNet {
	if (isZip(bytes)) return netOfStateDict(readPth(bytes), {}, crop);
	const header = safetensorsHeader(bytes);
	if (header) {
		const {metadata, tensors} = readSafetensors(bytes, header);
		return netOfStateDict(tensors, metadata, crop);
	}
	if (bytes[0] === 0x80 && bytes[1] === 2) {
		throw new Error('it is a pickle as PyTorch wrote them before 1.6: load it there, and torch.save it again');
	}
	const message = messageIn(bytes);
	if (message?.has(modelFields.graph)) return readOnnx(message, crop);
	if (message?.has(netFields.layers) || message?.has(netFields.oldLayers)) return readCaffe(message, crop);
	throw new Error('it is no ONNX file, safetensors file, zip of torch.save or caffemodel');
}

/** The values of a mean image: planes, in its program's order of channels. */
export async function readMeanFile(path: string): Promise<Float32Array> {
	return readMeanBlob(await readWhole(path));
}

/** @throws an error where the file is larger than `largest`, or what the system says. */
export async function readWhole(path: string, largest = largestFile): Promise<Buffer> {
	const file = await open(path, 'r');
	try {
		const {size} = await file.stat();
		if (size > largest) throw new Error(`it has ${size} bytes, and the most are ${largest}`);
		return await file.readFile();
	} finally {
		await file.close();
	}
}

/** The message that a file is, if it is one. */
function messageIn(bytes: Uint8Array): Message | undefined {
	try {
		return new Message(bytes);
	} catch {
		return undefined;
	}
}
