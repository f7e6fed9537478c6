// Plans: the tensors of a network for one batch size and mode, taken once, and the calls that fill them. Inference has
// its own in inference-plan.ts.
import {pictures} from './columns.ts';
import {Inputs, type Batch} from './inputs.ts';
import {fused, type Layer, type LayerPlan, type Layout, type Parts} from './layers/layer.ts';
import {bytesOfTensor, elementsOf, type Memory} from '../device/memory.ts';
import {native} from '../device/native.ts';
import type {DataType, Shape, Tensor} from '../device/tensor.ts';
import type {Recording} from '../device/recording.ts';

/** What a plan is made from. */
export interface Network {
	readonly layers: readonly Layer[];
	readonly precision: 'float32' | 'bfloat16';
	readonly imageSize: number;
	readonly crop: number;
	/** The mean image, [imageSize, imageSize, 3] fp32, on each device. */
	readonly means: Parts;
}

/** Bytes in a row of an arena, so that none of its dimensions is too large. */
const arenaRow = 4096;

/** Device by device, memory that can hold one of several tensors at a time. */
type Arena = (layout: Layout) => Parts;

/** What training and inference have in common: pictures in, the net's input out. */
export abstract class Plan {
	readonly batchSize: number;
	protected readonly memories: readonly Memory[];
	/** The first device's. */
	protected readonly memory: Memory;
	protected readonly network: Network;
	/** [N, crop, crop, 3] on each device */
	protected readonly input: Parts;
	/** Of the layers' outputs, in order. */
	protected readonly layouts: readonly Layout[];
	/** Of its passes, by what they read. */
	readonly #recordings = new Map<unknown, Recording>();

	/** @param passes over the layers that are recorded */
	constructor(
		network: Network,
		batchSize: number,
		layers: readonly Layer[],
		memories: readonly Memory[],
		passes: number,
	) {
		const {precision, crop} = network;
		const [memory] = memories;
		if (!memory) throw new Error('A plan needs a device.');
		this.batchSize = batchSize;
		this.network = network;
		this.memories = memories;
		this.memory = memory;
		const onEach = (shape: Shape, type: DataType): Parts => memories.map((own) => own.allocate(shape, type));
		this.input = onEach([batchSize, crop, crop, 3], precision);
		let layout = pictures(batchSize, crop, memories.length);
		this.layouts = layers.map((layer) => (layout = layer.output(layout)));
		for (const own of memories) own.recorded += passes * layers.length;
	}

	dispose(): void {
		for (const recording of this.#recordings.values()) recording.dispose();
		this.#recordings.clear();
		for (const memory of this.memories) memory.dispose();
	}

	/** Queues a pass, which `work` queues the first time, at `step`. What `key` stands for is the same each time. */
	protected replay(key: unknown, step: number, work: () => void): void {
		let recording = this.#recordings.get(key);
		if (!recording) {
			const devices = this.memories.map(({device}) => device);
			recording = new native.Recording(devices, work);
			this.#recordings.set(key, recording);
		}
		recording.replay({step});
	}

	/** [N, classes] fp32, on the first device. */
	protected allocateLogits(): Tensor {
		return this.memory.allocate(this.layouts.at(-1)?.shapes[0] ?? [], 'float32');
	}

	protected augment(inputs: Inputs): void {
		this.input.forEach((output, device) => {
			const [images, views, mean] = [inputs.images[device], inputs.views[device], this.network.means[device]];
			if (images && views && mean) native.augment({images, views, mean, output});
		});
	}

	protected arena(layouts: readonly Layout[]): Arena {
		const {precision} = this.network;
		const arenas = this.memories.map((memory, device) => {
			const sizes = layouts.map(({shapes}) => (shapes[device] ? bytesOfTensor(shapes[device], precision) : 0));
			return memory.allocate([Math.ceil(Math.max(1, ...sizes) / arenaRow), arenaRow], 'uint8');
		});
		return ({shapes}) =>
			shapes.flatMap((shape, device) => {
				const [memory, arena] = [this.memories[device], arenas[device]];
				return memory && arena ? [memory.view(arena, shape, precision)] : [];
			});
	}
}

/**
 * Forward and backward for one batch size. Every activation is kept for the backward pass, which ends with the lowest
 * layer that learns.
 */
export class TrainingPlan extends Plan {
	/** [N, classes] fp32 */
	readonly logits: Tensor;
	/** [3] fp32: sum of losses, top-1 count, top-5 count */
	readonly result: Tensor;
	/** [N, classes] */
	readonly #logitsGradient: Tensor;
	readonly #layers: readonly Layer[];
	/** They take turns. */
	readonly #inputs: readonly Inputs[];
	#turn = 0;
	/** The place of the lowest layer that learns. */
	readonly #lowest: number;
	/** Of each layer. */
	readonly #outputs: readonly Parts[];
	readonly #steps: readonly LayerPlan[];

	/** Pictures of the batch before these, which other ranks have. */
	readonly before: number;

	/**
	 * @param batches held at a time: with two, one comes while the devices work at the other
	 * @param before pictures of the batch before these, which other ranks have
	 */
	constructor(network: Network, batchSize: number, memories: readonly Memory[], batches: 1 | 2, before = 0) {
		const layers = fused(network.layers);
		super(network, batchSize, layers, memories, batches + 1); // forward for each set of inputs, backward once
		const {memory, layouts} = this;
		const {precision, imageSize} = network;
		this.#layers = layers;
		this.before = before;
		this.#inputs = Array.from({length: batches}, () => new Inputs(memories, batchSize, imageSize, true));
		this.logits = this.allocateLogits();
		this.result = memory.allocate([3], 'float32');
		this.#logitsGradient = memory.allocate(this.logits.shape, precision);
		this.#outputs = layouts.map(({shapes}, index) =>
			index === layers.length - 1
				? [this.logits]
				: shapes.flatMap((shape, device) => memories[device]?.allocate(shape, precision) ?? []),
		);
		this.#lowest = layers.findIndex((layer) => layer.parameters.some(({parameter}) => parameter.learns));
		const gradients = this.#gradients(this.#lowest);
		const reluBelow = (layer: Layer | undefined, index: number): boolean =>
			layer?.fusesReluBelow === true && layers[index - 1]?.activation === 'relu';
		this.#steps = layers.map((layer, index) =>
			layer.plan({
				memories,
				before,
				input: this.#outputs[index - 1] ?? this.input,
				output: this.#outputs[index] ?? [],
				outputGradient: gradients[index],
				inputGradient: gradients[index - 1],
				preActivation: reluBelow(layers[index + 1], index + 1),
				reluBelow: reluBelow(layer, index),
			}),
		);
	}

	/** Begins to bring a batch; forward() takes it from what this returns. See {@link Inputs.write}. */
	write(batch: Batch): Inputs {
		const inputs = this.#inputs[this.#turn];
		if (!inputs) throw new Error('A training plan needs inputs.');
		this.#turn = (this.#turn + 1) % this.#inputs.length;
		inputs.write(batch);
		return inputs;
	}

	/** @param step updates made so far */
	forward(inputs: Inputs, step: number): void {
		inputs.arrive();
		this.replay(inputs, step, () => {
			this.augment(inputs);
			for (const layer of this.#steps) layer.forward();
			const {logits, result} = this;
			if (inputs.labels) native.softmaxLoss({logits, labels: inputs.labels, result, gradient: this.#logitsGradient});
		});
		inputs.leave();
	}

	/** @param step as forward() was given it */
	backward(step: number): void {
		this.replay(this, step, () => {
			for (const layer of this.#steps.slice(this.#lowest).toReversed()) layer.backward();
		});
	}

	/**
	 * As backward(), with a pause after each layer that `pausesAt` names.
	 *
	 * @param pause may queue what reads the layer's gradients
	 */
	backwardInPieces(step: number, pausesAt: (layer: Layer) => boolean, pause: (layer: Layer) => void): void {
		let begin = this.#layers.length;
		for (let index = begin - 1; index >= this.#lowest; --index) {
			const layer = this.#layers[index];
			if (!layer || (index > this.#lowest && !pausesAt(layer))) continue;
			const steps = this.#steps.slice(index, begin).toReversed();
			this.replay(layer, step, () => {
				for (const each of steps) each.backward();
			});
			begin = index;
			pause(layer);
		}
	}

	/** What was the first that is not finite in the last forward pass: "conv5's output"; undefined where all is. */
	async firstNotFinite(): Promise<string | undefined> {
		if (!(await allFinite(this.input))) return "the net's input";
		for (const [index, {name}] of this.#layers.entries()) {
			if (!(await allFinite(this.#outputs[index] ?? []))) return `${name}'s output`;
		}
		return undefined;
	}

	/**
	 * Gradients of the outputs of the layers from the lowest that learns, by the layers' places. They live one after the
	 * other, so two arenas in turn hold all of them.
	 */
	#gradients(lowest: number): (Parts | undefined)[] {
		const layers = this.#layers;
		const needed = this.layouts.slice(lowest, -1);
		const arenas = [this.arena(needed), this.arena(needed)] as const;
		const gradients: (Parts | undefined)[] = [];
		gradients[layers.length - 1] = [this.#logitsGradient];
		let turn: 0 | 1 = 0;
		for (let index = layers.length - 2; index >= lowest; --index) {
			const above = layers[index + 1];
			if (!above?.backwardInPlace) turn = turn === 0 ? 1 : 0;
			gradients[index] = arenas[turn](this.layouts[index] ?? {shapes: [], copies: false});
		}
		return gradients;
	}
}

/** Elements read at once: what is looked at must not hold up the event loop. */
const piece = 2 ** 20;

async function allFinite(parts: Parts): Promise<boolean> {
	for (const part of parts) {
		const wide = part.dataType === 'float32';
		const bytes = bytesOfTensor([1], part.dataType);
		const elements = elementsOf(part.shape);
		for (let start = 0; start < elements; start += piece) {
			const count = Math.min(piece, elements - start);
			const view = part.view([count], part.dataType, start * bytes);
			const words = wide ? new Uint32Array(count) : new Uint16Array(count);
			await view.read(wide ? new Float32Array(words.buffer) : new Uint16Array(words.buffer)).finally(() => {
				view.dispose();
			});
			// Infinity and NaN are the numbers whose exponent is all ones.
			const exponent = wide ? 0x7f800000 : 0x7f80;
			if (words.some((word) => (word & exponent) === exponent)) return false;
		}
	}
	return true;
}
