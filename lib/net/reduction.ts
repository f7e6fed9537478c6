// Gradients averaged over the ranks of a group while the backward pass goes on.
import {AlexNetError} from '../base/errors.ts';
import type {DeviceGroup} from '../device/device-group.ts';
import {elementsOf} from '../device/memory.ts';
import type {Tensor} from '../device/tensor.ts';
import type {Group, Slice, Wire} from './group.ts';
import type {Layer} from './layers/layer.ts';

/** A layer's gradients on their way: in host memory, one part after the other. */
interface Bucket {
	readonly values: Float32Array;
	readonly parts: readonly {readonly gradient: Tensor; readonly values: Float32Array}[];
	reading: readonly Promise<void>[];
}

/**
 * Of a step: each layer's gradients are read as soon as the backward pass has computed them, and their sum over the ranks
 * is under way while it computes those of the layers below. All ranks ask for the sums in the order of the layers.
 */
export class Reduction {
	readonly #group: Group;
	readonly #wire: Wire;
	readonly #devices: DeviceGroup;
	readonly #buckets = new Map<Layer, Bucket>();
	/** Those of the step, in the order of the backward pass. */
	#read: Bucket[] = [];
	/** Sum of losses, top-1 count, top-5 count, pictures. */
	readonly #measures = new Float64Array(4);

	constructor(group: Group, wire: Wire, devices: DeviceGroup, layers: readonly Layer[]) {
		this.#group = group;
		this.#wire = wire;
		this.#devices = devices;
		for (const layer of layers) {
			const learning = layer.parameters.filter(({parameter}) => parameter.learns);
			const gradients = learning.flatMap(({parameter}) => parameter.parts.map(({gradient}) => gradient));
			if (gradients.length > 0) this.#buckets.set(layer, bucketOf(gradients, devices));
		}
	}

	/** Whether a layer's gradients are averaged. */
	has(layer: Layer): boolean {
		return this.#buckets.has(layer);
	}

	/** Queues reading a layer's gradients, once what computes them is queued. */
	read(layer: Layer): void {
		const bucket = this.#buckets.get(layer);
		if (!bucket) return;
		bucket.reading = bucket.parts.map(({gradient, values}) => heard(gradient.read(values)));
		this.#read.push(bucket);
	}

	/**
	 * Averages what was read, weighing ranks by their pictures, and queues writing it back.
	 *
	 * @param own sums of this rank's pictures: losses, top-1 count, top-5 count
	 * @returns the sums of all
	 * @throws ALEXNET_SHAPE where the ranks' pictures do not make up the batch.
	 */
	async finish(own: Promise<Float32Array>, count: number, {total}: Slice): Promise<Float64Array> {
		const read = this.#read;
		this.#read = [];
		await this.#devices.settle(own);
		this.#measures.set(await own);
		this.#measures[3] = count;
		const summing = [heard(this.#group.sum(this.#measures))];
		for (const {reading, values} of read) {
			await this.#devices.settle(...reading);
			summing.push(heard(this.#group.sum(values, count / total, this.#wire)));
		}
		await summing[0];
		const [, , , pictures] = this.#measures;
		if (pictures !== total) {
			const message = `The ranks have ${pictures ?? NaN} pictures together, of a batch of ${total}. Give each the slice that it has.`;
			throw new AlexNetError('ALEXNET_SHAPE', message);
		}
		for (const [index, {parts}] of read.entries()) {
			await summing[index + 1];
			for (const {gradient, values} of parts) gradient.write(values);
		}
		return this.#measures;
	}
}

function bucketOf(gradients: readonly Tensor[], devices: DeviceGroup): Bucket {
	const sizes = gradients.map(({shape}) => elementsOf(shape));
	const bytes = sizes.reduce((sum, size) => sum + size, 0) * Float32Array.BYTES_PER_ELEMENT;
	const {buffer, byteOffset} = devices.hostArray(bytes);
	let start = 0;
	const parts = gradients.map((gradient, index) => {
		const size = sizes[index] ?? 0;
		const values = new Float32Array(buffer, byteOffset + start * Float32Array.BYTES_PER_ELEMENT, size);
		start += size;
		return {gradient, values};
	});
	return {values: new Float32Array(buffer, byteOffset, start), parts, reading: []};
}

/** A promise that somebody hears of in any case, though he may wait for another one first. */
function heard<T>(promise: Promise<T>): Promise<T> {
	promise.catch(() => undefined);
	return promise;
}
