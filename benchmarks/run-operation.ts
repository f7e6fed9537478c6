// Runs the trial of one operation: fills tensors, checks what comes out, then takes samples.
import {AlexNetError} from '../lib/base/errors.ts';
import {elementsOf, Memory} from '../lib/device/memory.ts';
import {native} from '../lib/device/native.ts';
import type {NativeDevice} from '../lib/device/native-device.ts';
import type {Tensor} from '../lib/device/tensor.ts';
import type {OperationTrial, Tensors, TensorSpec} from './operation.ts';
import {clocksDuring, type Clocks} from './clocks.ts';
import {CacheFlush, flushBytes} from './timing.ts';

/** Samples take them in turn, so that none finds what the last one left. */
const mostSets = 4;
const mostSetBytes = 2 ** 30;

/** A set of tensors, and the calls that work on them. */
interface TensorSet {
	readonly call: () => void;
	/** Queues new weights. */
	readonly renew: () => void;
	readonly outputs: readonly (readonly [string, Tensor])[];
}

/** What a trial's process measured. */
export interface Samples {
	/** A value a sample. */
	readonly milliseconds: number[];
	/** Of a GPU, while it did the same. */
	readonly clocks?: Clocks;
}

export interface SampleOptions {
	readonly repetitions: number;
	/** Of the GPU whose clocks are wanted. */
	readonly pciAddress?: string | undefined;
	/** How much is copied before each sample. */
	readonly flush?: number;
}

export async function runOperation(
	device: NativeDevice,
	trial: OperationTrial,
	{repetitions, pciAddress, flush: flushed = flushBytes}: SampleOptions,
): Promise<Samples> {
	const memory = new Memory(device);
	try {
		const before = device.memory().bytes;
		const first = makeSet(memory, trial, 0);
		const setBytes = device.memory().bytes - before;
		first.call();
		await device.synchronize();
		for (const [name, tensor] of first.outputs) await verify(trial, name, tensor);
		const sets = [first];
		while (sets.length < Math.min(mostSets, Math.floor(mostSetBytes / setBytes))) {
			sets.push(makeSet(memory, trial, sets.length));
		}
		const flush = new CacheFlush(memory, flushed);
		const sampleOf = async (number: number): Promise<number> => {
			const set = sets[number % sets.length]!;
			set.renew();
			// It also keeps a GPU busy until the call is queued: what is timed is the GPU alone.
			flush.queue();
			return device.timed(set.call);
		};
		await sampleOf(0); // to warm up
		const milliseconds: number[] = [];
		for (let sample = 1; sample <= repetitions; ++sample) milliseconds.push(await sampleOf(sample));
		if (pciAddress === undefined) return {milliseconds};
		return {milliseconds, clocks: await clocksDuring(pciAddress, () => sampleOf(0))};
	} finally {
		await device.synchronize();
		memory.dispose();
	}
}

function makeSet(memory: Memory, trial: OperationTrial, ordinal: number): TensorSet {
	const entries = Object.entries(trial.tensors);
	const tensors: Record<string, Tensor> = {};
	const renewals: (() => void)[] = [];
	for (const [index, [name, spec]] of entries.entries()) {
		const tensor = memory.allocate(spec.shape, spec.type);
		fill(memory, tensor, spec, ordinal * entries.length + index);
		tensors[name] = tensor;
		if (!spec.isWeights) continue;
		const source = memory.allocate(spec.shape, spec.type);
		native.copy({input: tensor, output: source});
		renewals.push(() => native.copy({input: source, output: tensor}));
	}
	const bytes = trial.workspaceBytes?.(tensors) ?? 0;
	const workspace = bytes > 0 ? {workspace: memory.allocate([bytes], 'uint8')} : {};
	const all: Tensors = Object.assign(tensors, workspace);
	trial.prepare?.(all);
	return {
		call: () => trial.run(all),
		renew: () => {
			for (const renewal of renewals) renewal();
		},
		outputs: entries.filter(([, spec]) => spec.isOutput).map(([name]) => [name, all[name]!] as const),
	};
}

function fill(memory: Memory, tensor: Tensor, {contents, shape, type}: TensorSpec, stream: number): void {
	switch (contents.kind) {
		case 'poison':
			tensor.write(poison(tensor));
			break;
		case 'bytes':
			tensor.write(contents.values());
			break;
		case 'normal': {
			const {deviation} = contents;
			if (type === 'float32') {
				native.normal({output: tensor, seed: 1, stream, deviation});
				break;
			}
			const exact = memory.device.allocate(shape, 'float32');
			native.normal({output: exact, seed: 1, stream, deviation});
			native.cast({input: exact, output: tensor});
			exact.dispose();
		}
	}
}

/** NaN throughout. */
function poison({shape, dataType}: Tensor): Float32Array | Uint16Array {
	const length = elementsOf(shape);
	return dataType === 'bfloat16' ? new Uint16Array(length).fill(0xffff) : new Float32Array(length).fill(NaN);
}

/** Every element must have been written, with a finite number, and they must not all be the same. */
async function verify(trial: OperationTrial, name: string, tensor: Tensor): Promise<void> {
	const length = elementsOf(tensor.shape);
	const values = tensor.dataType === 'bfloat16' ? new Uint16Array(length) : new Float32Array(length);
	await tensor.read(values);
	const isFinite =
		values instanceof Uint16Array
			? (value: number): boolean => (value & 0x7f80) !== 0x7f80
			: (value: number): boolean => Number.isFinite(value);
	if (values.every(isFinite) && values.some((value) => value !== values[0])) return;
	throw new AlexNetError(
		'ALEXNET_OPERATION',
		`${trial.name} left ${name} [${tensor.shape.join(', ')}] with elements that are not finite, or all the same.`,
	);
}
