// What the device can do at best, measured: the two figures that bounds are made of.
import {Memory} from '../lib/memory.ts';
import {native, type NativeDevice} from '../lib/native.ts';
import type {Precision} from '../lib/options.ts';
import {callsPerSample, timeCalls} from './timing.ts';

export interface Machine {
	/** Bytes a second, reads and writes together, of the device's own copy. */
	bandwidth: number;
	/** Additions and multiplications a second, of the device's own matrix product in the given precision. */
	peak: number;
}

/** Larger than any cache. */
const copyBytes = 512 * 2 ** 20;
/** A product of this size reuses everything it reads: 137 GFLOP on 100 MB of bf16. */
const matrixSize = 4096;
const samples = 3;

export async function measureMachine(device: NativeDevice, precision: Precision): Promise<Machine> {
	return {bandwidth: await measureBandwidth(device), peak: await measurePeak(device, precision)};
}

async function measureBandwidth(device: NativeDevice): Promise<number> {
	const memory = new Memory(device);
	const input = memory.allocate([copyBytes / 4], 'float32');
	const output = memory.allocate([copyBytes / 4], 'float32');
	native.normal({output: input, seed: 1, stream: 0, deviation: 1});
	const milliseconds = await best(device, () => native.copy({input, output}));
	memory.dispose();
	return (2 * copyBytes * 1000) / milliseconds;
}

async function measurePeak(device: NativeDevice, precision: Precision): Promise<number> {
	const memory = new Memory(device);
	const type = precision === 'bf16' ? 'bfloat16' : 'float32';
	const shape = [matrixSize, matrixSize];
	const random = (stream: number): Parameters<typeof native.linear>[0]['input'] => {
		const exact = memory.allocate(shape, 'float32');
		native.normal({output: exact, seed: 1, stream, deviation: 1});
		if (type === 'float32') return exact;
		const rounded = memory.allocate(shape, type);
		native.cast({input: exact, output: rounded});
		return rounded;
	};
	const [input, weights, output] = [random(0), random(1), memory.allocate(shape, type)];
	const milliseconds = await best(device, () => native.linear({input, weights, output}));
	memory.dispose();
	return (2 * matrixSize ** 3 * 1000) / milliseconds;
}

/** Milliseconds of a call in the fastest sample: this is about what the device can do, not what it usually does. */
async function best(device: NativeDevice, call: () => void): Promise<number> {
	await timeCalls(device, [call]);
	const count = callsPerSample(await timeCalls(device, [call]), 1000);
	const calls = Array.from({length: count}, () => call);
	let fastest = Infinity;
	for (let sample = 0; sample < samples; ++sample) fastest = Math.min(fastest, await timeCalls(device, calls));
	return fastest / count;
}
