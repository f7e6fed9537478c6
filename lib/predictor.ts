import {AlexNetError} from './errors.ts';
import type {InferencePlan} from './plan.ts';
import {viewWidth} from './views.ts';

/** A plan, and the host memory that its rows are gathered in. */
interface Slot {
	readonly plan: InferencePlan;
	readonly images: Uint8Array;
	readonly views: Float32Array;
	readonly probabilities: Float32Array;
}

/** Predicts any number of pictures, each in one or several views, through plans of a few sizes. */
export class Predictor {
	readonly #plan: (rows: number) => InferencePlan;
	readonly #settle: (promise: Promise<void>) => Promise<void>;
	readonly #most: number;
	readonly #classes: number;
	readonly #slots = new Map<number, Slot>();
	/** Slots are shared: one prediction after the other. */
	#last: Promise<unknown> = Promise.resolve();

	/** @param settle awaits a device's promise; see {@link DeviceGroup.settle} */
	constructor(
		plan: (rows: number) => InferencePlan,
		settle: (promise: Promise<void>) => Promise<void>,
		{most, classes}: {most: number; classes: number},
	) {
		this.#plan = plan;
		this.#settle = settle;
		this.#most = most;
		this.#classes = classes;
	}

	/** @param views [V, 6], applied to every picture */
	async predict(images: Uint8Array, pictureBytes: number, views: Float32Array): Promise<Float32Array> {
		if (images.length === 0 || images.length % pictureBytes !== 0) {
			const message = `images must hold whole pictures of ${pictureBytes} bytes, at least one; got ${images.length} bytes.`;
			throw new AlexNetError('ALEXNET_SHAPE', message);
		}
		const work = this.#last.then(() => this.#predict(images, pictureBytes, views));
		this.#last = work.catch(() => undefined);
		return work;
	}

	/** Resolves when all predictions asked for so far have ended. */
	async finish(): Promise<void> {
		await this.#last;
	}

	dispose(): void {
		for (const {plan} of this.#slots.values()) plan.dispose();
		this.#slots.clear();
	}

	async #predict(images: Uint8Array, pictureBytes: number, views: Float32Array): Promise<Float32Array> {
		const classes = this.#classes;
		const crops = views.length / viewWidth;
		const rows = (images.length / pictureBytes) * crops;
		const sums = new Float32Array((images.length / pictureBytes) * classes);
		const slot = this.#slot(rows, pictureBytes);
		const {plan, probabilities} = slot;
		const size = probabilities.length / classes;
		for (let start = 0; start < rows; start += size) {
			const count = Math.min(size, rows - start);
			// A row is a picture in a view. Rows beyond the last repeat what stood there before: nobody reads them.
			for (let row = 0; row < count; ++row) {
				const picture = Math.floor((start + row) / crops);
				const view = (start + row) % crops;
				slot.images.set(images.subarray(picture * pictureBytes, (picture + 1) * pictureBytes), row * pictureBytes);
				slot.views.set(views.subarray(view * viewWidth, (view + 1) * viewWidth), row * viewWidth);
			}
			plan.write(slot.images, slot.views);
			plan.forward();
			await this.#settle(plan.probabilities.read(probabilities));
			for (let index = 0; index < count * classes; ++index) {
				const picture = Math.floor((start + Math.floor(index / classes)) / crops);
				const place = picture * classes + (index % classes);
				sums[place] = (sums[place] ?? 0) + (probabilities[index] ?? 0) / crops;
			}
		}
		return sums;
	}

	/** The smallest of a few sizes that takes all rows at once, or the largest: so that plans do not pile up. */
	#slot(rows: number, pictureBytes: number): Slot {
		const sizes = [1, 2, 4, 10, 16, 32, 64, 128, 256, 512, 1024].filter((size) => size < this.#most);
		const size = sizes.find((candidate) => candidate >= rows) ?? this.#most;
		const known = this.#slots.get(size);
		if (known) return known;
		const slot = {
			plan: this.#plan(size),
			images: new Uint8Array(size * pictureBytes),
			views: new Float32Array(size * viewWidth),
			probabilities: new Float32Array(size * this.#classes),
		};
		this.#slots.set(size, slot);
		return slot;
	}
}
