// What the device can do at best, measured: the two figures that bounds are made of.
import {elementsOf, Memory} from '../lib/device/memory.ts';
import {native} from '../lib/device/native.ts';
import type {NativeDevice} from '../lib/device/native-device.ts';
import type {Shape, Tensor} from '../lib/device/tensor.ts';
import type {Precision} from '../lib/net/options.ts';

export interface Machine {
	/** Bytes a second, reads and writes together. */
	bandwidth: number;
	/** Additions and multiplications a second in the given precision. */
	peak: number;
}

/** Larger than any cache. */
const streamElements = 2 ** 27;
/** A product of this size reuses everything it reads: 137 GFLOP on 100 MB of bf16. */
const matrixSize = 4096;
/** A convolution that does: 77 GFLOP on 68 MB of bf16, [N, H, W, C] and [K, R, S, C]. */
const convInput = [64, 32, 32, 256];
const convWeights = [256, 3, 3, 256];
const samples = 3;
/** Calls of a sample take this long together. */
const sampleMilliseconds = 5;
const mostCalls = 1000;

/** By the device's own operations: the better of two that come near to what the hardware can do. */
export async function measureMachine(device: NativeDevice, precision: Precision): Promise<Machine> {
	const copy = await withMemory(device, measureCopy);
	const update = await withMemory(device, measureUpdate);
	const product = await withMemory(device, (memory) => measureProduct(memory, precision));
	const convolution = await withMemory(device, (memory) => measureConvolution(memory, precision));
	return {bandwidth: Math.max(copy, update), peak: Math.max(product, convolution)};
}

async function withMemory(device: NativeDevice, measure: (memory: Memory) => Promise<number>): Promise<number> {
	const memory = new Memory(device);
	try {
		return await measure(memory);
	} finally {
		memory.dispose();
	}
}

/** As much is read as written. */
async function measureCopy(memory: Memory): Promise<number> {
	const input = random(memory, [streamElements], 'fp32', 0);
	const output = memory.allocate([streamElements], 'float32');
	return perSecond(memory, 2 * 4 * streamElements, () => native.copy({input, output}));
}

/** Three tensors are read and two written. */
async function measureUpdate(memory: Memory): Promise<number> {
	const elements = streamElements / 2;
	const tensor = (stream: number): Tensor => random(memory, [elements], 'fp32', stream);
	const [weights, velocity, gradient] = [tensor(0), tensor(1), tensor(2)];
	const parameters = [{weights, velocity, gradient, learningRate: 0.001, weightDecay: 0.0005}];
	return perSecond(memory, 5 * 4 * elements, () => native.sgd({momentum: 0.9, parameters}));
}

async function measureProduct(memory: Memory, precision: Precision): Promise<number> {
	const shape = [matrixSize, matrixSize];
	const [input, weights] = [random(memory, shape, precision, 0), random(memory, shape, precision, 1)];
	const output = memory.allocate(shape, input.dataType);
	return perSecond(memory, 2 * matrixSize ** 3, () =>
		native.linear({input, weights, output, tf32: precision === 'tf32'}),
	);
}

async function measureConvolution(memory: Memory, precision: Precision): Promise<number> {
	const [input, weights] = [random(memory, convInput, precision, 0), random(memory, convWeights, precision, 1)];
	// 3x3 with a border of one pixel and as many kernels as channels: the output has the input's shape.
	const output = memory.allocate(convInput, input.dataType);
	const operations = 2 * elementsOf(convInput) * elementsOf(convWeights.slice(1));
	const options = {pads: [1, 1, 1, 1] as const, tf32: precision === 'tf32'};
	return perSecond(memory, operations, () => native.conv2d({input, weights, output, ...options}));
}

function random(memory: Memory, shape: Shape, precision: Precision, stream: number): Tensor {
	const exact = memory.allocate(shape, 'float32');
	native.normal({output: exact, seed: 1, stream, deviation: 1});
	if (precision !== 'bf16') return exact;
	const rounded = memory.allocate(shape, 'bfloat16');
	native.cast({input: exact, output: rounded});
	return rounded;
}

/** By the fastest sample: this is about what the device can do, not what it usually does. */
async function perSecond({device}: Memory, amount: number, call: () => void): Promise<number> {
	await device.timed(call);
	const count = Math.max(1, Math.min(mostCalls, Math.ceil(sampleMilliseconds / (await device.timed(call)))));
	const calls = (): void => {
		for (let turn = 0; turn < count; ++turn) call();
	};
	let fastest = Infinity;
	for (let sample = 0; sample < samples; ++sample) fastest = Math.min(fastest, await device.timed(calls));
	return (amount * count * 1000) / fastest;
}
