import {requireLength} from '../base/check.ts';
import {elementsOf, type Memory} from '../device/memory.ts';
import {native} from '../device/native.ts';
import type {NativeDevice} from '../device/native-device.ts';
import type {DataType, Shape, Tensor} from '../device/tensor.ts';
import type {Initial} from './initial.ts';

/** One of the three tensors that a parameter has. */
export type ParameterContents = 'weights' | 'velocity' | 'gradient';

/** Four dimensions as files order them: [K, C, R, S] of a convolution, [O, I, 1, 1] or [O, C, H, W], [K, 1, 1, 1]. */
export type FileShape = readonly [number, number, number, number];

/** A part of a parameter: a memory to put it in, and rows and columns (the first two dimensions in files). */
export interface Place {
	readonly memory: Memory;
	/** First and number; all where left out. */
	readonly rows?: readonly [number, number];
	readonly columns?: readonly [number, number];
}

export interface ParameterOptions {
	readonly name: string;
	/** PyTorch's order. */
	readonly shape: Shape;
	/** [C, H, W]: how a linear layer's inputs are made up of channels and pixels. */
	readonly features?: readonly [number, number, number];
	readonly precision: DataType;
	/** Whether it has velocity and gradient: otherwise nothing may be queued that reads or writes them. */
	readonly learns: boolean;
	readonly places: readonly Place[];
}

/** From [K, C, R, S] to [K, R, S, C], and back. */
const toDevice = [0, 2, 3, 1];
export const toFile = [0, 3, 1, 2];
const asIs = [0, 1, 2, 3];

/** What one device holds of a parameter. */
export class ParameterPart {
	/** As it lies in the device's memory: [K, R, S, C], [O, I] or [K]. */
	readonly shape: Shape;
	/** Master weights, fp32. */
	readonly weights: Tensor;
	/** Momentum, fp32; without memory where the parameter does not learn. */
	readonly velocity: Tensor;
	/** Of the last training step, fp32; without memory where the parameter does not learn. */
	readonly gradient: Tensor;
	/** What the forward pass multiplies with: `weights`, or their bf16 copy. */
	readonly operand: Tensor;
	/** @internal */
	readonly memory: Memory;
	/** Where it begins in the parameter, in files' order. */
	readonly start: FileShape;
	/** What it has of the parameter, in files' order. */
	readonly size: FileShape;

	/** @internal */
	constructor(
		memory: Memory,
		{start, size, shape}: {start: FileShape; size: FileShape; shape: Shape},
		{type, learns}: {type: DataType; learns: boolean},
	) {
		this.memory = memory;
		this.start = start;
		this.size = size;
		this.shape = shape;
		this.weights = memory.allocate(shape, 'float32');
		const forTraining = (): Tensor => (learns ? memory.allocate(shape, 'float32') : memory.outline(shape, 'float32'));
		this.velocity = forTraining();
		this.gradient = forTraining();
		this.operand = type === 'float32' ? this.weights : memory.allocate(shape, type);
	}

	/** Id of the device that holds it. */
	get device(): string {
		return this.memory.device.id;
	}
}

/**
 * The weights or the biases of a layer, with their velocity and gradient, in fp32, and a bf16 copy of the weights where
 * the net computes in bf16: in one part, or in several on one or two devices.
 *
 * Files and users see PyTorch's order: [K, C, R, S] for convolutions, [O, I] over channel-major features for linear
 * layers. Devices hold channels last.
 */
export class Parameter {
	/** PyTorch's name: "conv1.weight". */
	readonly name: string;
	/** PyTorch's order. */
	readonly shape: Shape;
	/** Whether it is the biases of a layer; otherwise it is the weights. */
	readonly isBias: boolean;
	/** Whether training changes it: not where its layer is frozen, nor in a model for inference only. */
	readonly learns: boolean;
	/** Where it lies: a part for each block of weights that a device holds. */
	readonly parts: readonly ParameterPart[];
	readonly #fileShape: FileShape;
	readonly #channelsLast: boolean;

	/** @internal */
	constructor({name, shape, features, precision, learns, places}: ParameterOptions) {
		this.name = name;
		this.shape = shape;
		this.isBias = name.endsWith('.bias');
		this.learns = learns;
		const [rows = 1, columns = 1, height = 1, width = 1] = features ? [shape[0], ...features] : shape;
		this.#fileShape = [rows, columns, height, width];
		this.#channelsLast = features !== undefined || shape.length === 4;
		const type = this.isBias ? 'float32' : precision;
		this.parts = places.map(({memory, rows: ownRows = [0, rows], columns: ownColumns = [0, columns]}) => {
			const start = [ownRows[0], ownColumns[0], 0, 0] as const;
			const size = [ownRows[1], ownColumns[1], height, width] as const;
			const lies = this.#channelsLast ? toDevice.map((axis) => size[axis] ?? 0) : size.slice(0, shape.length);
			return new ParameterPart(memory, {start, size, shape: lies}, {type, learns});
		});
	}

	/** How many values it has. */
	get elements(): number {
		return elementsOf(this.shape);
	}

	/** Queues the first values: normal draws of the stream (seed, stream) in PyTorch's order, or constant biases. */
	initialize(initial: Initial, seed: number, stream: number): void {
		this.reset();
		if (this.isBias) {
			for (const {weights} of this.parts) native.fill({output: weights, value: initial.bias});
			return;
		}
		const inputs = this.elements / (this.shape[0] ?? 1);
		const deviation = 'gain' in initial ? initial.gain / Math.sqrt(inputs) : initial.deviation;
		this.#distribute('weights', (whole) => native.normal({output: whole, seed, stream, deviation}));
	}

	/** Queues zeros for momentum and gradient, where it has them. */
	reset(): void {
		if (!this.learns) return;
		for (const {velocity, gradient} of this.parts) {
			native.fill({output: velocity, value: 0});
			native.fill({output: gradient, value: 0});
		}
	}

	/**
	 * Checks the number of values.
	 *
	 * @throws ALEXNET_SHAPE where there are more or fewer than it has.
	 */
	requireValues({length}: ArrayLike<number>): void {
		requireLength(`${this.name}, [${this.shape.join(', ')}],`, length, this.elements);
	}

	/** Queues new contents, given in PyTorch's order. Leave the array as it is until all devices' next promises. */
	write(contents: ParameterContents, values: Float32Array): void {
		this.requireValues(values);
		this.#distribute(contents, (whole) => whole.write(values));
	}

	/** Reads contents in PyTorch's order; parts are put together on the first one's device. */
	async read(contents: ParameterContents, into = new Float32Array(this.elements)): Promise<Float32Array> {
		const [first] = this.parts;
		if (!first) throw new Error(`${this.name} has no parts.`);
		if (this.#isWhole(first)) {
			await first[contents].read(into);
			return into;
		}
		const {device} = first.memory;
		const whole = device.allocate(this.#fileShape, 'float32');
		try {
			for (const part of this.parts) {
				if (part.memory.device === device) this.#permute(part, contents, {output: whole, outputStart: part.start});
				else this.#fetch(part, contents, device, whole);
			}
			await whole.read(into);
		} finally {
			whole.dispose();
		}
		return into;
	}

	/** Fills a tensor in PyTorch's order on each device, and brings it into the parts there. */
	#distribute(contents: ParameterContents, fill: (whole: Tensor) => void): void {
		for (const device of new Set(this.parts.map(({memory}) => memory.device))) {
			const parts = this.parts.filter(({memory}) => memory.device === device);
			const [first] = parts;
			if (first && this.#isWhole(first)) {
				fill(first[contents]);
			} else {
				const whole = device.allocate(this.#fileShape, 'float32');
				fill(whole);
				for (const part of parts) this.#permute(part, contents, {input: whole, inputStart: part.start});
				whole.dispose();
			}
			if (contents !== 'weights') continue;
			for (const {weights, operand} of parts) if (operand !== weights) native.cast({input: weights, output: operand});
		}
	}

	/** Brings a part of another device into `whole`, on `device`. */
	#fetch(part: ParameterPart, contents: ParameterContents, device: NativeDevice, whole: Tensor): void {
		const sent = part.memory.device.allocate(part.size, 'float32');
		const landed = device.allocate(part.size, 'float32');
		this.#permute(part, contents, {output: sent});
		native.copy({input: sent, output: landed});
		native.permute({input: landed, output: whole, axes: asIs, outputStart: part.start});
		sent.dispose();
		landed.dispose();
	}

	/** From files' order into a part, or from a part into files' order. */
	#permute(
		part: ParameterPart,
		contents: ParameterContents,
		other: {input: Tensor; inputStart: FileShape} | {output: Tensor; outputStart?: FileShape},
	): void {
		const axes = this.#channelsLast ? {in: toDevice, out: toFile} : {in: asIs, out: asIs};
		const shape = axes.in.map((axis) => part.size[axis] ?? 0);
		const view = part[contents].view(shape, 'float32');
		if ('input' in other) native.permute({...other, output: view, axes: axes.in});
		else native.permute({...other, input: view, axes: axes.out});
		view.dispose();
	}

	/** Whether a part is all of the parameter, and lies as files have it. */
	#isWhole(part: ParameterPart): boolean {
		return !this.#channelsLast && part.size.every((length, axis) => length === this.#fileShape[axis]);
	}
}

/** Asks outlines for what writing and reading a parameter take for a moment. */
export function outlineTransfer({elements}: Parameter, memories: readonly Memory[]): void {
	for (const memory of memories) {
		memory.allocate([elements], 'float32');
		if (memories.length > 1) memory.allocate([elements], 'float32'); // what comes from another device, or goes
	}
}
