import {untilAborted} from '../base/abort.ts';
import {AlexNetError} from '../base/errors.ts';
import type {InferencePlan} from './inference-plan.ts';
import {elementsOf} from '../device/memory.ts';
import {viewWidth} from '../data/views.ts';

/** A plan, and the host memory that its rows are gathered in. */
interface Slot {
	readonly plan: InferencePlan;
	/** Values that it gives for each row. */
	readonly width: number;
	readonly images: Uint8Array;
	readonly views: Float32Array;
	/** What the plan gives. */
	readonly values: Float32Array;
}

/** Pictures that wait. */
interface Request {
	readonly images: Uint8Array;
	readonly pictures: number;
	/** [crops, 6], applied to every picture. */
	readonly views: Float32Array;
	readonly crops: number;
	readonly signal: AbortSignal | undefined;
	readonly resolve: (values: Float32Array) => void;
	readonly reject: (reason: unknown) => void;
}

/** A row of a batch: a picture in a view. */
interface Row {
	readonly request: Request;
	readonly picture: number;
	readonly view: number;
	/** Of the request: [pictures, width]. */
	readonly sums: Float64Array;
}

export interface PredictorOptions {
	/** Takes a plan's memory. */
	readonly plan: (rows: number) => InferencePlan;
	/** Awaits a device's promise; see {@link DeviceGroup.settle}. */
	readonly settle: (promise: Promise<void>) => Promise<void>;
	/** Runs work while the weights stay as they are. */
	readonly inTurn: (work: () => Promise<void>) => Promise<void>;
	/** Rows of a batch at most. */
	readonly most: number;
	readonly pictureBytes: number;
}

/**
 * Runs inference on any number of pictures, each in one or several views, over which results are averaged. What is asked
 * for while the devices are busy waits, and is then put together in batches; where they are idle nothing waits.
 *
 * Batches have a few sizes, each with a plan that is kept: together they hold less than three times what the largest does.
 */
export class Predictor {
	readonly #options: PredictorOptions;
	readonly #slots = new Map<number, Slot>();
	#waiting: Request[] = [];
	/** Whether a turn has been asked for that has not begun. */
	#isAsked = false;

	constructor(options: PredictorOptions) {
		this.#options = options;
	}

	/** @param views [crops, 6], applied to every picture */
	async predict(images: Uint8Array, views: Float32Array, signal?: AbortSignal): Promise<Float32Array> {
		const {pictureBytes} = this.#options;
		if (images.length === 0 || images.length % pictureBytes !== 0) {
			const message = `images must hold whole pictures of ${pictureBytes} bytes, at least one; got ${images.length} bytes.`;
			throw new AlexNetError('ALEXNET_SHAPE', message);
		}
		signal?.throwIfAborted();
		const [pictures, crops] = [images.length / pictureBytes, views.length / viewWidth];
		const result = new Promise<Float32Array>((resolve, reject) => {
			this.#waiting.push({images, pictures, views, crops, signal, resolve, reject});
		});
		this.#askForTurn();
		return untilAborted(result, signal);
	}

	/** Rows of the plans that a set of pictures takes, the last of them with what remains, as far as they are not there. */
	get missing(): number[] {
		const sizes = sizesUpTo(this.#options.most);
		return sizes.slice(-2).filter((size) => !this.#slots.has(size));
	}

	/** Rejects what waits for a batch. */
	refuse(reason: unknown): void {
		for (const {reject} of this.#waiting.splice(0)) reject(reason);
	}

	dispose(): void {
		for (const {plan} of this.#slots.values()) plan.dispose();
		this.#slots.clear();
	}

	#askForTurn(): void {
		if (this.#isAsked || this.#waiting.length === 0) return;
		this.#isAsked = true;
		const turn = this.#options.inTurn(async () => {
			this.#isAsked = false;
			const group = this.#takeGroup();
			this.#askForTurn();
			await this.#answer(group);
		});
		turn.catch((error: unknown) => {
			this.#isAsked = false;
			this.refuse(error);
		});
	}

	/** The first requests that fit in one batch; one that is larger by itself, and what its last batch has room for. */
	#takeGroup(): Request[] {
		const {most} = this.#options;
		const waiting = this.#waiting.filter(({signal}) => signal?.aborted !== true);
		const group: Request[] = [];
		let [rows, room] = [0, most];
		for (const request of waiting) {
			const own = request.pictures * request.crops;
			if (group.length === 0) room = Math.ceil(own / most) * most;
			rows += own;
			if (rows > room) break;
			group.push(request);
		}
		this.#waiting = waiting.slice(group.length);
		return group;
	}

	/** Requests that fail together are made again each alone, so that nobody hears of another's failure. */
	async #answer(group: readonly Request[]): Promise<void> {
		const [first] = group;
		if (!first) return;
		try {
			await this.#predict(group);
		} catch (error) {
			if (group.length === 1) first.reject(error);
			else for (const request of group) await this.#answer([request]);
		}
	}

	async #predict(group: readonly Request[]): Promise<void> {
		const {settle} = this.#options;
		const slot = this.#slot(group.reduce((sum, {pictures, crops}) => sum + pictures * crops, 0));
		const {width} = slot;
		const size = slot.plan.batchSize;
		const sums = group.map(({pictures}) => new Float64Array(pictures * width));
		const rows = group.flatMap((request, index) => rowsOf(request, sums[index] ?? new Float64Array()));
		for (let start = 0; start < rows.length; start += size) {
			if (group.every(({signal}) => signal?.aborted)) return;
			const batch = rows.slice(start, start + size);
			const own = this.#inOnePiece(batch, slot);
			this.#gather(batch, slot, own === undefined);
			slot.plan.run({images: own ?? slot.images, views: slot.views});
			await settle(slot.plan.result.read(slot.values));
			for (const [row, {sums: own, picture, view}] of batch.entries()) {
				const values = slot.values.subarray(row * width, (row + 1) * width);
				if (view === 0) own.set(values, picture * width);
				else addTo(own, picture * width, values);
			}
		}
		// Divided once: a mean of probabilities is no more than 1, as a sum of rounded tenths can be.
		for (const [index, {crops, resolve}] of group.entries()) {
			const own = sums[index] ?? new Float64Array();
			resolve(new Float32Array(crops === 1 ? own : own.map((sum) => sum / crops)));
		}
	}

	/**
	 * Where a batch is one request's pictures, each in one view, they lie as the plan takes them. Not where it can be
	 * aborted: whoever asked may then do with them what he likes, while they are still read.
	 */
	#inOnePiece(batch: readonly Row[], slot: Slot): Uint8Array | undefined {
		const {pictureBytes} = this.#options;
		const [first, last] = [batch[0], batch.at(-1)];
		if (first?.request !== last?.request || first?.request.crops !== 1 || first.request.signal) return undefined;
		const start = first.picture * pictureBytes;
		const pixels = first.request.images.subarray(start, start + slot.images.length);
		return pixels.length === slot.images.length ? pixels : undefined;
	}

	/** Rows beyond the last repeat what stood there before: nobody reads them. */
	#gather(batch: readonly Row[], slot: Slot, withPixels: boolean): void {
		const {pictureBytes} = this.#options;
		for (const [row, {request, picture, view}] of batch.entries()) {
			const pixels = request.images.subarray(picture * pictureBytes, (picture + 1) * pictureBytes);
			if (withPixels) slot.images.set(pixels, row * pictureBytes);
			slot.views.set(request.views.subarray(view * viewWidth, (view + 1) * viewWidth), row * viewWidth);
		}
	}

	/** The smallest of a few sizes that takes all rows at once, or the largest: so that plans do not pile up. */
	#slot(rows: number): Slot {
		const {most, pictureBytes} = this.#options;
		const size = sizesUpTo(most).find((candidate) => candidate >= rows) ?? most;
		const known = this.#slots.get(size);
		if (known) return known;
		const [images, views] = [new Uint8Array(size * pictureBytes), new Float32Array(size * viewWidth)];
		const plan = this.#options.plan(size);
		try {
			const values = new Float32Array(elementsOf(plan.result.shape));
			const slot = {plan, width: values.length / size, images, views, values};
			this.#slots.set(size, slot);
			return slot;
		} catch (error) {
			plan.dispose(); // no memory for the values on the host
			throw error;
		}
	}
}

function sizesUpTo(most: number): number[] {
	return [...[1, 2, 4, 10, 16, 32, 64, 128, 256, 512, 1024].filter((size) => size < most), most];
}

function addTo(sums: Float64Array, start: number, values: Float32Array): void {
	for (let index = 0; index < values.length; ++index) {
		sums[start + index] = (sums[start + index] ?? 0) + (values[index] ?? 0);
	}
}

function rowsOf(request: Request, sums: Float64Array): Row[] {
	const {pictures, crops} = request;
	return Array.from({length: pictures * crops}, (_, row) => ({
		request,
		picture: Math.floor(row / crops),
		view: row % crops,
		sums,
	}));
}
