// What kind of file it is, by what is in it.
import {open} from 'node:fs/promises';
import {modelFields} from './onnx.ts';
import {Message} from './protobuf.ts';
import type {ReadNet} from './read-net.ts';
import {readOnnx} from './read-onnx.ts';

/** Twice what AlexNet has; a file of 20,000 classes fits. It is held in memory, and the weights beside it. */
const largestFile = 2 ** 29;

/** @throws an error that says why it is no net. */
export async function readNetFile(path: string, crop: number | undefined): Promise<ReadNet> {
	const bytes = await readWhole(path);
	const message = messageIn(bytes);
	if (message?.has(modelFields.graph)) return readOnnx(message, crop);
	throw new Error('it is no ONNX file');
}

/** The values of a mean image: planes. */
export async function readMeanFile(path: string): Promise<Float32Array> {
	await readWhole(path);
	throw new Error('it is no mean image');
}

async function readWhole(path: string): Promise<Buffer> {
	const file = await open(path, 'r');
	try {
		const {size} = await file.stat();
		if (size > largestFile) throw new Error(`it has ${size} bytes, and the most are ${largestFile}`);
		return await file.readFile();
	} finally {
		await file.close();
	}
}

function messageIn(bytes: Uint8Array): Message | undefined {
	return new Message(bytes);
}
