import {AlexNetError} from '../base/errors.ts';
import type {NativeDevice} from './native-device.ts';
import type {DataType, Shape, Tensor} from './tensor.ts';

const bytesOf: Readonly<Record<DataType, number>> = {float32: 4, bfloat16: 2, int32: 4, uint8: 1};

/** Tensors of one device that live and go together. */
export class Memory {
	readonly device: NativeDevice;
	/** Bytes of each tensor that was asked for so far. */
	readonly sizes: number[] = [];
	/** Passes of layers that are to be recorded, each counted. */
	recorded = 0;
	readonly #outline: boolean;
	readonly #tensors: Tensor[] = [];

	/** @param outline only adds up what would be needed: its tensors have no memory */
	constructor(device: NativeDevice, {outline = false}: {outline?: boolean} = {}) {
		this.device = device;
		this.#outline = outline;
	}

	allocate(shape: Shape, dataType: DataType): Tensor {
		const tensor = this.#outline ? this.device.outline(shape, dataType) : this.device.allocate(shape, dataType);
		this.#tensors.push(tensor);
		this.sizes.push(bytesOfTensor(shape, dataType));
		return tensor;
	}

	/** A tensor without memory, in the place of one that is never read or written. */
	outline(shape: Shape, dataType: DataType): Tensor {
		const tensor = this.device.outline(shape, dataType);
		this.#tensors.push(tensor);
		return tensor;
	}

	/** The same memory seen otherwise; goes with the rest, so that no forgotten view keeps the memory. */
	view(tensor: Tensor, shape: Shape, dataType: DataType, byteOffset = 0): Tensor {
		const view = tensor.view(shape, dataType, byteOffset);
		this.#tensors.push(view);
		return view;
	}

	/** Idempotent. Work that is queued already keeps what it needs. */
	dispose(): void {
		for (const tensor of this.#tensors.splice(0)) tensor.dispose();
	}
}

/** Advice, as the addon words it too. */
export const smallerBatch = 'Try a smaller batchSize.';
/** Where nobody chooses a batch size. */
export const otherMemory = 'Close what else needs memory, or take another device.';

/** What memory is taken for. */
export interface Purpose<T> {
	/** Begins the error's sentence: "A training step of 128 pictures" */
	purpose: string;
	advice: string;
	/** Asks outlines for what is taken later on: it must fit as well, or what begins now could not be brought to its end. */
	later?: (built: T, memories: readonly Memory[]) => void;
}

/**
 * Takes the memory that `build` asks for, on all devices or on none: what it needs is compared with what is free before
 * anything is taken. `build` runs twice, first on outlines, and must do nothing but allocate. What transfers of such
 * tensors and operations on them need is taken with it.
 *
 * @throws ALEXNET_MEMORY where a device has too little, with the need, what is free, and the advice.
 */
export function takeMemory<T>(
	devices: readonly NativeDevice[],
	{purpose, advice, later}: Purpose<T>,
	build: (memories: readonly Memory[]) => T,
): T {
	const outlines = devices.map((device) => new Memory(device, {outline: true}));
	const outlined = build(outlines);
	later?.(outlined, outlines);
	for (const memory of outlines) memory.dispose();
	for (const device of devices) {
		// CPU devices share the machine's memory, and a board may have been opened twice.
		const same = outlines.filter((memory) => poolOf(memory.device) === poolOf(device));
		const need = same.reduce((sum, memory) => sum + memory.device.needOf(memory.sizes, memory.recorded), 0);
		const free = device.freeBytes();
		if (need <= free) continue;
		// Rounded apart: the need is seen to be more.
		const [needed, available] = [megabytes(Math.ceil(need / 1e6)), megabytes(Math.floor(free / 1e6))];
		const text = `${purpose} needs ${needed}, ${available} are free. ${advice}`;
		throw new AlexNetError('ALEXNET_MEMORY', `Out of memory on ${device.id}: ${text}`);
	}
	const memories = devices.map((device) => new Memory(device));
	try {
		for (const {device, sizes} of outlines) device.reserve(sizes);
		return build(memories);
	} catch (error) {
		for (const memory of memories) memory.dispose();
		throw error;
	}
}

export function elementsOf(shape: Shape): number {
	return shape.reduce((product, dimension) => product * dimension, 1);
}

export function bytesOfTensor(shape: Shape, dataType: DataType): number {
	return elementsOf(shape) * bytesOf[dataType];
}

function poolOf({id}: NativeDevice): string {
	return id.startsWith('cpu') ? 'cpu' : id;
}

function megabytes(count: number): string {
	return `${count.toLocaleString('en-US')} MB`;
}
