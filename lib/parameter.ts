import type {Initial} from './architecture.ts';
import {requireLength} from './check.ts';
import {elementsOf, type Memory} from './memory.ts';
import {native, type DataType, type Shape, type Tensor} from './native.ts';

/** Where a parameter, or a part of it, lives. */
export interface ParameterPart {
	readonly device: string;
	/** As it lies in the device's memory: [K, R, S, C], [O, I] or [K]. */
	readonly shape: Shape;
}

/** One of the three tensors that a parameter has. */
export type ParameterContents = 'weights' | 'velocity' | 'gradient';

/** From [K, C, R, S] to [K, R, S, C], and back. */
const toDevice = [0, 2, 3, 1];
const toFile = [0, 3, 1, 2];

/**
 * The weights or the biases of a layer, with their velocity and gradient, in fp32, and a bf16 copy of the weights where
 * the net computes in bf16.
 *
 * Files and users see PyTorch's order: [K, C, R, S] for convolutions, [O, I] over channel-major features for linear
 * layers. Devices hold channels last; `features` says how a linear layer's inputs are made up of channels and pixels.
 */
export class Parameter {
	readonly name: string;
	/** PyTorch's order. */
	readonly shape: Shape;
	readonly isBias: boolean;
	readonly weights: Tensor;
	readonly velocity: Tensor;
	readonly gradient: Tensor;
	/** What the forward pass multiplies with: `weights`, or their bf16 copy. */
	readonly operand: Tensor;
	readonly #memory: Memory;
	/** The shape in PyTorch's order with 4 dimensions, where it differs from the device's. */
	readonly #fileShape: Shape | undefined;

	constructor(memory: Memory, options: {name: string; shape: Shape; features?: Shape; precision: DataType}) {
		const {name, shape, features, precision} = options;
		this.#memory = memory;
		this.name = name;
		this.shape = shape;
		this.isBias = name.endsWith('.bias');
		this.#fileShape = shape.length === 4 ? shape : features && [shape[0] ?? 0, ...features];
		const deviceShape = this.#fileShape ? toDevice.map((axis) => this.#fileShape?.[axis] ?? 0) : shape;
		this.weights = memory.allocate(deviceShape, 'float32');
		this.velocity = memory.allocate(deviceShape, 'float32');
		this.gradient = memory.allocate(deviceShape, 'float32');
		this.operand = precision === 'float32' || this.isBias ? this.weights : memory.allocate(deviceShape, precision);
	}

	get parts(): readonly ParameterPart[] {
		return [{device: this.#memory.device.id, shape: this.weights.shape}];
	}

	get elements(): number {
		return elementsOf(this.shape);
	}

	/** Queues the first values: normal draws of the stream (seed, stream) in PyTorch's order, or constant biases. */
	initialize(initial: Initial, seed: number, stream: number): void {
		this.reset();
		if (this.isBias) {
			native.fill({output: this.weights, value: initial.bias});
			return;
		}
		const inputs = this.elements / (this.shape[0] ?? 1);
		const deviation = 'gain' in initial ? initial.gain / Math.sqrt(inputs) : initial.deviation;
		this.#staged('weights', (staging) => native.normal({output: staging, seed, stream, deviation}));
	}

	/** Queues zeros for momentum and gradient. */
	reset(): void {
		native.fill({output: this.velocity, value: 0});
		native.fill({output: this.gradient, value: 0});
	}

	/** Queues new contents, given in PyTorch's order. Leave the array as it is until the device's next promise. */
	write(contents: ParameterContents, values: Float32Array): void {
		requireLength(`${this.name}, [${this.shape.join(', ')}],`, values.length, this.elements);
		this.#staged(contents, (staging) => staging.write(values));
	}

	/** Reads contents in PyTorch's order. */
	async read(contents: ParameterContents, into = new Float32Array(this.elements)): Promise<Float32Array> {
		const tensor = this[contents];
		if (!this.#fileShape) {
			await tensor.read(into);
			return into;
		}
		const staging = this.#memory.device.allocate(this.#fileShape, 'float32');
		try {
			native.permute({input: tensor, output: staging, axes: toFile});
			await staging.read(into);
		} finally {
			staging.dispose();
		}
		return into;
	}

	/** Fills a tensor in PyTorch's order and brings it into the device's. */
	#staged(contents: ParameterContents, fill: (staging: Tensor) => void): void {
		const tensor = this[contents];
		if (this.#fileShape) {
			const staging = this.#memory.device.allocate(this.#fileShape, 'float32');
			fill(staging);
			native.permute({input: staging, output: tensor, axes: toDevice});
			staging.dispose();
		} else {
			fill(tensor);
		}
		if (contents === 'weights' && this.operand !== tensor) native.cast({input: tensor, output: this.operand});
	}
}
