// What devices send each other: contents, order and speed.
import type {NativeDevice} from '../device/native-device.ts';
import type {DataType, Tensor} from '../device/tensor.ts';
import {realTypes, type RealType} from './bfloat16.ts';
import type {CheckOptions} from './check-operations.ts';
import {Random} from './random.ts';
import {precisionOf, Tally, type TestResult} from './result.ts';
import {TestedDevice} from './tested-device.ts';
import {medianMilliseconds} from './timing.ts';
import {compareEqual} from './tolerance.ts';
import {Workbench} from './workbench.ts';

/** Elements: one, a tail, several pieces. */
const lengths = [1, 123, 70_001];
/** [N, H, W, C] of pool2's output, a column of 128 pictures: what conv3 waits for. */
const timedShape = [128, 13, 13, 128];
const rounds = 20;
const roundLength = 5000;

type Pair = readonly [TestedDevice, TestedDevice];

/** Both directions one by one, then at the same time. */
export async function* checkExchange(pair: Pair, options: CheckOptions): AsyncGenerator<TestResult> {
	const [first, second] = pair;
	for (const direction of directionsOf(pair)) {
		options.signal?.throwIfAborted();
		yield await checkDirection(direction, options);
	}
	const tally = new Tally(`${first.id} ↔ ${second.id}`, 'exchange');
	const part = {precision: 'fp32', what: `${rounds} rounds`} as const;
	await TestedDevice.attempt(pair, tally, part, () => checkBothWays(pair, tally, options));
	yield tally.result;
}

/** A device that is paired with itself has only one. */
export function directionsOf([first, second]: Pair): Pair[] {
	const there: Pair = [first, second];
	return first.id === second.id ? [there] : [there, [second, first]];
}

async function checkDirection([from, to]: Pair, options: CheckOptions): Promise<TestResult> {
	const tally = new Tally(`${from.id} → ${to.id}`, 'exchange');
	options.onProgress?.('exchange');
	for (const type of realTypes) {
		for (const length of lengths) {
			const part = {precision: precisionOf[type], what: `${length} elements`};
			await TestedDevice.attempt([from, to], tally, part, () =>
				checkContents([from, to], type, length, tally, options),
			);
		}
	}
	if (options.isSimulated(from.id) || options.isSimulated(to.id)) return tally.result;
	const part = {precision: 'fp32', what: timedShape.join('x')} as const;
	await TestedDevice.attempt([from, to], tally, part, async () => {
		tally.note(await transferTime(from.device, to.device, options));
	});
	return tally.result;
}

async function checkContents(
	[from, to]: Pair,
	type: RealType,
	length: number,
	tally: Tally,
	{seed, operations}: CheckOptions,
): Promise<void> {
	const what = `${length} elements`;
	const seedOfCase = [seed, 'exchange', type, length].join(' ');
	const values = new Random(seedOfCase).values(length, 1000, type);
	// Starts that are no multiple of 16 bytes, too.
	for (const misaligned of [false, true]) {
		const source = new Workbench(from.device, seedOfCase, {misaligned});
		const destination = new Workbench(to.device, seedOfCase, {misaligned});
		try {
			const output = destination.output([length], type);
			operations.copy({input: source.input([length], type, values), output});
			const received = await destination.read(output);
			tally.compared(precisionOf[type], what, compareEqual('output', received, values));
			const mistakes = [...(await source.finish()), ...(await destination.finish())];
			for (const mistake of mistakes) tally.failed(precisionOf[type], what, mistake);
		} finally {
			source.release();
			destination.release();
		}
	}
}

/**
 * Each device sends its round's number and at once overwrites what it sent; each keeps what it received. So nothing may
 * leave too late (the number is gone) or be used too early (it has not arrived).
 */
async function checkBothWays([first, second]: Pair, tally: Tally, {operations}: CheckOptions): Promise<void> {
	const tensors: Tensor[] = [];
	const allocate = (device: NativeDevice, shape: number[], type: DataType = 'float32'): Tensor => {
		const tensor = device.allocate(shape, type);
		tensors.push(tensor);
		return tensor;
	};
	const sides = [first.device, second.device].map((device, number) => ({
		device,
		number,
		outgoing: allocate(device, [roundLength]),
		landing: allocate(device, [roundLength]),
		kept: allocate(device, [rounds, roundLength]),
	}));
	const [one, other] = sides;
	if (!one || !other) throw new Error('An exchange takes two devices.');
	try {
		for (let round = 0; round < rounds; round++) {
			for (const {outgoing, number} of sides) operations.fill({output: outgoing, value: 2 * round + number});
			const events = [
				operations.send({input: one.outgoing, output: other.landing}),
				operations.send({input: other.outgoing, output: one.landing}),
			];
			for (const {device, outgoing, landing, kept} of sides) {
				for (const event of events) device.wait(event);
				operations.fill({output: outgoing, value: -1});
				const row = kept.view([roundLength], 'float32', round * roundLength * 4);
				tensors.push(row);
				operations.copy({input: landing, output: row});
				operations.fill({output: landing, value: -2});
			}
		}
		for (const {kept, number} of sides) {
			const received = new Float32Array(rounds * roundLength);
			await kept.read(received);
			const sent = Float64Array.from(received, (_, i) => 2 * Math.floor(i / roundLength) + 1 - number);
			tally.compared('fp32', 'order', compareEqual('received', Float64Array.from(received), sent));
		}
	} finally {
		for (const tensor of tensors) tensor.dispose();
	}
}

/** "11.1 MB in 0.47 ms, 23.6 GB/s" */
async function transferTime(from: NativeDevice, to: NativeDevice, {operations}: CheckOptions): Promise<string> {
	const [input, output] = [from.allocate(timedShape, 'float32'), to.allocate(timedShape, 'float32')];
	try {
		operations.fill({output: input, value: 1});
		operations.copy({input, output});
		const milliseconds = await medianMilliseconds([from, to], () => operations.copy({input, output}));
		const bytes = 4 * timedShape.reduce((a, b) => a * b);
		return `${(bytes / 1e6).toFixed(1)} MB in ${milliseconds.toFixed(2)} ms, ${(bytes / milliseconds / 1e6).toFixed(1)} GB/s`;
	} finally {
		input.dispose();
		output.dispose();
	}
}
