// What two devices that hold a column each send each other, where a layer reads both columns.
import {AlexNetError} from '../lib/base/errors.ts';
import {bytesOfTensor, elementsOf, Memory} from '../lib/device/memory.ts';
import {native} from '../lib/device/native.ts';
import type {NativeDevice} from '../lib/device/native-device.ts';
import type {DataType, Shape, Tensor} from '../lib/device/tensor.ts';
import type {Architecture} from '../lib/net/architecture.ts';
import type {Precision} from '../lib/net/options.ts';
import {layerShapes} from '../lib/net/shapes.ts';
import type {SampleOptions} from './run-operation.ts';
import {CacheFlush, flushBytes} from './timing.ts';

export interface ExchangeTrial {
	readonly name: string;
	/** What a device sends: its column. */
	readonly shape: Shape;
	readonly type: DataType;
	/** Both send at the same time; else only the second one does. */
	readonly isMutual: boolean;
	/** Bytes each way. */
	readonly bytes: number;
}

/** Forward; backward as much goes the other way. */
export function exchangeTrials(architecture: Architecture, batchSize: number, precision: Precision): ExchangeTrial[] {
	const type = precision === 'bf16' ? 'bfloat16' : 'float32';
	return layerShapes(architecture, batchSize).flatMap(({spec, input, isFirst, isLast}) => {
		// Of the pictures both have a copy.
		const readsBoth = spec.type === 'linear' || (spec.type === 'conv2d' && spec.reads === 'both' && !isFirst);
		if (!readsBoth) return [];
		const [images = 0, ...features] = input;
		const shape = [images, elementsOf(features) / architecture.columns];
		return [{name: `${spec.name}-exchange`, shape, type, isMutual: !isLast, bytes: bytesOfTensor(shape, type)}];
	});
}

/** @returns milliseconds until all has arrived, a value a sample */
export async function runExchange(
	[first, second]: readonly [NativeDevice, NativeDevice],
	trial: ExchangeTrial,
	{repetitions, flush: flushed = flushBytes}: SampleOptions,
): Promise<number[]> {
	const memories = [new Memory(first), new Memory(second)];
	try {
		const ways = trial.isMutual ? [0, 1] : [1];
		const pairs = ways.map((from) => makePair(memories[from]!, memories[1 - from]!, trial, from));
		const exchange = (): void => {
			const sent = pairs.map(({input, output}) => native.send({input, output}));
			for (const device of [first, second]) for (const event of sent) device.wait(event);
		};
		exchange();
		for (const pair of pairs) await verify(trial, pair);
		const flushes = memories.map((memory) => new CacheFlush(memory, flushed));
		const samples: number[] = [];
		for (let sample = -1; sample < repetitions; ++sample) {
			await second.synchronize();
			// They also keep both busy until the exchange is queued.
			for (const flush of flushes) flush.queue();
			const time = await first.timed(exchange);
			// The first one only warms up.
			if (sample >= 0) samples.push(time);
		}
		return samples;
	} finally {
		for (const memory of memories) {
			await memory.device.synchronize();
			memory.dispose();
		}
	}
}

interface Pair {
	readonly input: Tensor;
	readonly output: Tensor;
}

function makePair(from: Memory, to: Memory, {shape, type}: ExchangeTrial, stream: number): Pair {
	const input = from.allocate(shape, type);
	const exact = from.allocate(shape, 'float32');
	native.normal({output: exact, seed: 1, stream, deviation: 1});
	native.cast({input: exact, output: input});
	return {input, output: to.allocate(shape, type)};
}

/** What arrives must be what was sent. */
async function verify({name, shape, bytes}: ExchangeTrial, {input, output}: Pair): Promise<void> {
	const read = async (tensor: Tensor): Promise<Uint8Array> => {
		const values = new Uint8Array(bytes);
		const view = tensor.view([bytes], 'uint8');
		await view.read(values);
		view.dispose();
		return values;
	};
	if (Buffer.compare(await read(input), await read(output)) === 0) return;
	const message = `${name}: of [${shape.join(', ')}] something else arrived on ${output.deviceId} than was sent.`;
	throw new AlexNetError('ALEXNET_OPERATION', message);
}
