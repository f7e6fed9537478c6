// Tensors of a device under test. Every tensor is a view into poisoned memory (0xFF bytes: NaN in fp32 and bf16), so
// that elements an operation forgets to write show, and so do bytes it writes outside its output or in its inputs.
import type {NativeDevice} from '../device/native-device.ts';
import type {DataType, HostArray, Shape, Tensor} from '../device/tensor.ts';
import {fromBfloat16, toBfloat16} from './bfloat16.ts';
import {Random} from './random.ts';

const poison = 0xff;
/** Poisoned bytes on either side of a tensor. */
const guardBytes = 64;

const elementBytes = {float32: 4, bfloat16: 2, int32: 4, uint8: 1};

function encode(dataType: DataType, values: ArrayLike<number>): HostArray {
	switch (dataType) {
		case 'float32':
			return Float32Array.from(values);
		case 'bfloat16':
			return Uint16Array.from(values, toBfloat16);
		case 'int32':
			return Int32Array.from(values);
		case 'uint8':
			return Uint8Array.from(values);
	}
}

function decode(dataType: DataType, bytes: Uint8Array): Float64Array {
	const {buffer} = Uint8Array.from(bytes);
	switch (dataType) {
		case 'float32':
			return Float64Array.from(new Float32Array(buffer));
		case 'bfloat16':
			return Float64Array.from(new Uint16Array(buffer), fromBfloat16);
		case 'int32':
			return Float64Array.from(new Int32Array(buffer));
		case 'uint8':
			return Float64Array.from(bytes);
	}
}

interface Entry {
	memory: Tensor;
	tensor: Tensor;
	start: number;
	bytes: number;
	/** What the whole memory held at first. */
	before: Uint8Array;
	writable: boolean;
}

export class Workbench {
	readonly device: NativeDevice;
	readonly random: Random;
	readonly #shift: number;
	readonly #heldBefore: number;
	readonly #entries: Entry[] = [];
	readonly #views: Tensor[] = [];

	/** `misaligned`: tensors begin one element after a multiple of 64 bytes. */
	constructor(device: NativeDevice, seed: string, {misaligned = false}: {misaligned?: boolean | undefined} = {}) {
		this.device = device;
		this.#heldBefore = device.memory().bytes;
		this.random = new Random(seed);
		this.#shift = misaligned ? 1 : 0;
	}

	/** A tensor that an operation reads. That it still holds `values` is checked at the end of the test. */
	input(shape: Shape, dataType: DataType, values: ArrayLike<number>): Tensor {
		return this.#add(shape, dataType, encode(dataType, values), false);
	}

	/** A tensor that an operation reads and writes. */
	inPlace(shape: Shape, dataType: DataType, values: ArrayLike<number>): Tensor {
		return this.#add(shape, dataType, encode(dataType, values), true);
	}

	/** A tensor that an operation writes. Holds NaN. */
	output(shape: Shape, dataType: DataType): Tensor {
		return this.#add(shape, dataType, undefined, true);
	}

	/** Poisoned memory for what a forward pass leaves to the backward pass; none where it needs none. */
	workspace(bytes: number): Tensor | undefined {
		return bytes === 0 ? undefined : this.#add([bytes], 'uint8', undefined, true, 0);
	}

	/** Another view of one of this bench's tensors. */
	view(tensor: Tensor, shape: Shape, byteOffset = 0): Tensor {
		const view = tensor.view(shape, tensor.dataType, byteOffset);
		this.#views.push(view);
		return view;
	}

	/** The elements of one of this bench's tensors. */
	async read(tensor: Tensor): Promise<Float64Array> {
		const entry = this.#entries.find((candidate) => candidate.tensor === tensor)!;
		const bytes = new Uint8Array(entry.before.length);
		await entry.memory.read(bytes);
		return decode(tensor.dataType, bytes.subarray(entry.start, entry.start + entry.bytes));
	}

	/**
	 * Releases everything.
	 *
	 * @returns what was written that is no output, and whether the device has kept memory, in words
	 */
	async finish(): Promise<string[]> {
		if (this.#entries.length === 0) return []; // the user has tensors of its own
		const found: string[] = [];
		for (const [index, entry] of this.#entries.entries()) {
			const after = new Uint8Array(entry.before.length);
			await entry.memory.read(after);
			if (entry.writable) after.fill(poison, entry.start, entry.start + entry.bytes);
			if (entry.writable) entry.before.fill(poison, entry.start, entry.start + entry.bytes);
			const wrong = after.findIndex((byte, i) => byte !== entry.before[i]);
			if (wrong < 0) continue;
			const name = `tensor ${index} (${entry.tensor.dataType} [${entry.tensor.shape.join(', ')}])`;
			found.push(`${name}: byte ${wrong - entry.start} was written, which is not the operation's`);
		}
		this.release();
		const kept = this.device.memory().bytes - this.#heldBefore;
		return kept === 0 ? found : [...found, `${kept} bytes are still held after all tensors were disposed of`];
	}

	/** Gives the memory back. Idempotent. */
	release(): void {
		const tensors = this.#entries.flatMap(({memory, tensor}) => [memory, tensor]);
		for (const tensor of [...tensors, ...this.#views]) tensor.dispose();
	}

	#add(
		shape: Shape,
		dataType: DataType,
		values: HostArray | undefined,
		writable: boolean,
		shift = this.#shift,
	): Tensor {
		const bytes = shape.reduce((a, b) => a * b, 1) * elementBytes[dataType];
		const start = guardBytes + shift * elementBytes[dataType];
		const before = new Uint8Array(start + bytes + guardBytes).fill(poison);
		if (values) {
			if (values.byteLength !== bytes) throw new Error(`An input needs ${bytes} bytes, got ${values.byteLength}.`);
			before.set(new Uint8Array(values.buffer), start);
		}
		const memory = this.device.allocate([before.length], 'uint8');
		memory.write(before);
		const tensor = memory.view(shape, dataType, start);
		this.#entries.push({memory, tensor, start, bytes, before, writable});
		return tensor;
	}
}
