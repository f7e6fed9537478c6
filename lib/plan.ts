// Plans: the tensors of a network for one batch size and mode, taken once, and the calls that fill them.
import type {Layer, LayerPlan} from './layers/layer.ts';
import {elementsOf, Memory} from './memory.ts';
import {native, type DataType, type NativeDevice, type Shape, type Tensor} from './native.ts';
import {viewWidth} from './views.ts';

/** What a plan is made from. */
export interface Network {
	readonly device: NativeDevice;
	readonly layers: readonly Layer[];
	readonly precision: 'float32' | 'bfloat16';
	readonly imageSize: number;
	readonly crop: number;
	/** The mean image, [imageSize, imageSize, 3] fp32. */
	readonly mean: Tensor;
}

const bytesOf: Readonly<Record<DataType, number>> = {float32: 4, bfloat16: 2, int32: 4, uint8: 1};

/** What training and inference have in common: pictures in, the net's input out. */
abstract class Plan {
	/** [N, imageSize, imageSize, 3] uint8 */
	readonly images: Tensor;
	/** [N, 6] fp32, see lib/views.ts */
	readonly views: Tensor;
	/** [N, classes] fp32 */
	readonly logits: Tensor;
	protected readonly memory: Memory;
	protected readonly network: Network;
	/** [N, crop, crop, 3] */
	protected readonly input: Tensor;
	/** Output shapes of the layers, in order. */
	protected readonly shapes: readonly Shape[];

	constructor(network: Network, batchSize: number, layers: readonly Layer[]) {
		const {device, precision, imageSize, crop} = network;
		this.network = network;
		this.memory = new Memory(device);
		this.images = this.memory.allocate([batchSize, imageSize, imageSize, 3], 'uint8');
		this.views = this.memory.allocate([batchSize, viewWidth], 'float32');
		this.input = this.memory.allocate([batchSize, crop, crop, 3], precision);
		let shape: Shape = this.input.shape;
		this.shapes = layers.map((layer) => (shape = layer.outputShape(shape)));
		this.logits = this.memory.allocate(shape, 'float32');
	}

	dispose(): void {
		this.memory.dispose();
	}

	protected augment(): void {
		native.augment({images: this.images, views: this.views, mean: this.network.mean, output: this.input});
	}

	/** Memory that can hold each of these shapes, one at a time. */
	protected arena(shapes: readonly Shape[]): (shape: Shape) => Tensor {
		const {precision} = this.network;
		const bytes = Math.max(1, ...shapes.map((shape) => elementsOf(shape) * bytesOf[precision]));
		const arena = this.memory.allocate([bytes], 'uint8');
		return (shape) => this.memory.view(arena, shape, precision);
	}
}

/** Forward and backward for one batch size. Every activation is kept for the backward pass. */
export class TrainingPlan extends Plan {
	/** [N] int32 */
	readonly labels: Tensor;
	/** [3] fp32: sum of losses, top-1 count, top-5 count */
	readonly result: Tensor;
	/** [N, classes] */
	readonly #logitsGradient: Tensor;
	readonly #steps: readonly LayerPlan[];

	constructor(network: Network, batchSize: number) {
		super(network, batchSize, network.layers);
		const {memory, shapes} = this;
		const {layers, precision} = network;
		this.labels = memory.allocate([batchSize], 'int32');
		this.result = memory.allocate([3], 'float32');
		this.#logitsGradient = memory.allocate(this.logits.shape, precision);
		const outputs = shapes.map((shape, index) =>
			index === layers.length - 1 ? this.logits : memory.allocate(shape, precision),
		);
		const gradients = this.#gradients();
		this.#steps = layers.map((layer, index) =>
			layer.plan({
				memory,
				input: outputs[index - 1] ?? this.input,
				output: outputs[index] ?? this.logits,
				outputGradient: gradients[index],
				inputGradient: gradients[index - 1],
			}),
		);
	}

	/** @param step updates made so far */
	forward(step: number): void {
		this.augment();
		for (const layer of this.#steps) layer.forward(step);
		const {logits, labels, result} = this;
		native.softmaxLoss({logits, labels, result, gradient: this.#logitsGradient});
	}

	backward(): void {
		for (const layer of this.#steps.toReversed()) layer.backward();
	}

	/** Gradients of the layers' outputs. They live one after the other, so two arenas in turn hold all of them. */
	#gradients(): Tensor[] {
		const {layers} = this.network;
		const inner = this.shapes.slice(0, -1);
		const arenas = [this.arena(inner), this.arena(inner)] as const;
		const gradients: Tensor[] = [this.#logitsGradient];
		let turn: 0 | 1 = 0;
		for (let index = layers.length - 2; index >= 0; --index) {
			const shape = inner[index] ?? [];
			const above = layers[index + 1];
			if (!above?.backwardInPlace) turn = turn === 0 ? 1 : 0;
			gradients.unshift(arenas[turn](shape));
		}
		return gradients;
	}
}

/** Forward only: two arenas take turns, and what serves training alone is left out. */
export class InferencePlan extends Plan {
	/** [N, classes] fp32 */
	readonly probabilities: Tensor;
	readonly #steps: readonly LayerPlan[];

	constructor(network: Network, batchSize: number) {
		const layers = network.layers.filter((layer) => !layer.trainingOnly);
		super(network, batchSize, layers);
		const inner = this.shapes.slice(0, -1);
		const arenas = [this.arena(inner), this.arena(inner)] as const;
		this.probabilities = this.memory.allocate(this.logits.shape, 'float32');
		let input = this.input;
		this.#steps = layers.map((layer, index) => {
			const shape = inner[index];
			const output = shape ? arenas[index % 2 === 0 ? 0 : 1](shape) : this.logits;
			const plan = layer.plan({memory: this.memory, input, output});
			input = output;
			return plan;
		});
	}

	forward(): void {
		this.augment();
		for (const layer of this.#steps) layer.forward(0);
		native.softmax({logits: this.logits, probabilities: this.probabilities});
	}
}
