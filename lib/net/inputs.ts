// What a plan takes in: a batch's pictures, how they are seen and, to learn from, their classes.
import type {Parts} from './layers/layer.ts';
import type {Memory} from '../device/memory.ts';
import type {DeviceEvent, Tensor} from '../device/tensor.ts';
import {viewWidth} from '../data/views.ts';

/** A batch on the host. */
export interface Batch {
	/** [N, imageSize, imageSize, 3] */
	readonly images: Uint8Array;
	/** [N, 6], see lib/data/views.ts */
	readonly views: Float32Array;
	/** [N], where it is learned from */
	readonly labels?: Int32Array;
}

/**
 * The tensors of one batch, which comes beside what the devices do: it begins to come when nobody reads the one before
 * any more, and they wait for it when they get there.
 */
export class Inputs {
	/** [N, imageSize, imageSize, 3] uint8 on each device */
	readonly images: Parts;
	/** [N, 6] fp32 on each device */
	readonly views: Parts;
	/** [N] int32 on the first device */
	readonly labels: Tensor | undefined;
	readonly #memories: readonly Memory[];
	/** Of each device: its tensors have come. */
	#arrivals: readonly (readonly DeviceEvent[])[] = [];
	/** Of each device: nobody reads its tensors any more. */
	#free: readonly DeviceEvent[] = [];

	constructor(memories: readonly Memory[], batchSize: number, imageSize: number, labelled: boolean) {
		this.#memories = memories;
		this.images = memories.map((memory) => memory.allocate([batchSize, imageSize, imageSize, 3], 'uint8'));
		this.views = memories.map((memory) => memory.allocate([batchSize, viewWidth], 'float32'));
		this.labels = labelled ? memories[0]?.allocate([batchSize], 'int32') : undefined;
	}

	/** Begins to bring a batch. Leave the arrays as they are until what it is brought for has ended. */
	write({images, views, labels}: Batch): void {
		this.#arrivals = this.#memories.map((_, device) => {
			const after = this.#free[device];
			// The small ones first: they need not wait for page-locked memory that the large one still goes through.
			const coming = [this.views[device]?.writeBeside(views, after)];
			if (device === 0 && labels) coming.push(this.labels?.writeBeside(labels, after));
			coming.push(this.images[device]?.writeBeside(images, after));
			return coming.filter((event) => event !== undefined);
		});
	}

	/** What is queued from here on may read them. */
	arrive(): void {
		for (const [index, {device}] of this.#memories.entries()) {
			for (const event of this.#arrivals[index] ?? []) device.wait(event);
		}
	}

	/** What is queued from here on does not. */
	leave(): void {
		this.#free = this.#memories.map(({device}) => device.record());
	}
}
