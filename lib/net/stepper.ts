import type {DeviceGroup} from '../device/device-group.ts';
import {smallerBatch, takeMemory, type Memory} from '../device/memory.ts';
import type {Group, Slice, Wire} from './group.ts';
import type {Batch, Inputs} from './inputs.ts';
import type {StepResult} from './options.ts';
import {TrainingPlan, type Network} from './plan.ts';
import {Reduction} from './reduction.ts';
import {sgd, type SgdSettings} from './sgd.ts';

/** A batch to learn from. */
export interface LabelledBatch extends Required<Batch> {
	/** Where its pictures are in the batch of all ranks; left out where there are no others. */
	readonly slice?: Slice | undefined;
}

/** A rank's part of a step; see {@link Stepper.make}. */
interface OwnStep {
	readonly batch: LabelledBatch;
	readonly step: number;
	readonly update: SgdSettings | undefined;
	readonly queued: () => void;
}

/**
 * Makes training steps. It holds the memory of one batch size, that of the last step: activations of a batch are most of
 * what training takes, and a run has one size.
 */
export class Stepper {
	readonly #network: Network;
	readonly #group: DeviceGroup;
	readonly #later: (memories: readonly Memory[]) => void;
	readonly #ranks: Group | undefined;
	readonly #wire: Wire;
	#reduction: Reduction | undefined;
	/** [3], what a plan's result is read into. */
	readonly #result: Float32Array;
	#plan: TrainingPlan | undefined;
	/** The batch that comes while another one is learned from. */
	#ahead: {batch: LabelledBatch; inputs: Inputs} | undefined;

	/**
	 * @param later asks outlines for what a run takes besides steps
	 * @param ranks that average their gradients, where there are any, and what they send them as
	 */
	constructor(
		network: Network,
		group: DeviceGroup,
		later: (memories: readonly Memory[]) => void,
		ranks: {group: Group | undefined; wire: Wire},
	) {
		this.#network = network;
		this.#group = group;
		this.#later = later;
		this.#ranks = ranks.group;
		this.#wire = ranks.wire;
		this.#result = new Float32Array(group.hostArray(3 * Float32Array.BYTES_PER_ELEMENT).buffer);
	}

	/**
	 * Forward, backward and, where there are settings, the update. Where it fails the weights are as they were. On GPUs it
	 * resolves when all is queued and the forward pass has ended, so that what comes next is queued while they go on.
	 *
	 * @param step updates made so far
	 * @param queued called when all is queued
	 */
	async make(
		batch: LabelledBatch,
		step: number,
		update: SgdSettings | undefined,
		queued: () => void,
	): Promise<StepResult> {
		const count = batch.labels.length;
		if (this.#ranks && batch.slice) return this.#makeTogether(this.#ranks, batch.slice, {batch, step, update, queued});
		const plan = await this.#planFor(count, 0);
		this.#forward(plan, batch, step);
		const reading = this.#read(plan);
		plan.backward(step);
		if (update) this.#update(update);
		const submitted = this.#group.submitted();
		queued();
		await this.#group.settle(reading, ...submitted);
		return meansOf(this.#result, count);
	}

	/** As make(): what all ranks have learned is what each updates its weights by. */
	async #makeTogether(ranks: Group, slice: Slice, {batch, step, update, queued}: OwnStep): Promise<StepResult> {
		try {
			const count = batch.labels.length;
			const reduction = (this.#reduction ??= new Reduction(ranks, this.#wire, this.#group, this.#network.layers));
			const plan = await this.#planFor(count, slice.start);
			this.#forward(plan, batch, step);
			const reading = this.#read(plan);
			plan.backwardInPieces(
				step,
				(layer) => reduction.has(layer),
				(layer) => reduction.read(layer),
			);
			queued();
			const sums = await reduction.finish(
				reading.then(() => this.#result),
				count,
				slice,
			);
			if (update) this.#update(update);
			await this.#group.settle(...this.#group.submitted());
			return meansOf(sums, slice.total);
		} catch (error) {
			ranks.fail(error);
			throw error;
		}
	}

	#forward(plan: TrainingPlan, batch: LabelledBatch, step: number): void {
		const inputs = this.#ahead?.batch === batch ? this.#ahead.inputs : plan.write(batch);
		this.#ahead = undefined;
		plan.forward(inputs, step);
	}

	#update(settings: SgdSettings): void {
		this.#group.meet(); // either all devices update their weights or, where one has failed, none
		sgd(this.#network.layers, settings);
	}

	/** Begins to bring a batch, which make() is given next, while the devices are at work. */
	prefetch(batch: LabelledBatch): void {
		if (this.#ahead || this.#plan?.batchSize !== batch.labels.length) return;
		this.#ahead = {batch, inputs: this.#plan.write(batch)};
	}

	/** Forgets a batch that was to come next. Its arrays are not used any more when this resolves. */
	async forget(): Promise<void> {
		if (!this.#ahead) return;
		this.#ahead.inputs.arrive();
		this.#ahead = undefined;
		await this.#group.synchronize().catch(() => undefined);
	}

	/** See {@link TrainingPlan.firstNotFinite}; of the last step. */
	async firstNotFinite(): Promise<string | undefined> {
		return this.#plan?.firstNotFinite();
	}

	dispose(): void {
		this.#plan?.dispose();
		this.#plan = undefined;
		this.#ahead = undefined;
	}

	/** Queues reading the result. What follows a forward pass that has failed is left out, though this tells of it. */
	#read({result}: TrainingPlan): Promise<void> {
		const [first] = this.#group.devices;
		const computed = first?.record();
		const reading = result.read(this.#result);
		reading.catch(() => undefined); // make() hears of it, unless what it queues is refused
		if (computed) first?.wait(computed);
		return reading;
	}

	async #planFor(batchSize: number, before: number): Promise<TrainingPlan> {
		if (this.#plan?.batchSize === batchSize && this.#plan.before === before) return this.#plan;
		if (this.#plan) {
			this.dispose();
			await this.#group.synchronize(); // its memory is free then
		}
		const later = (_: TrainingPlan, memories: readonly Memory[]): void => this.#later(memories);
		const purpose = {purpose: `A training step of ${batchSize} pictures`, advice: smallerBatch, later};
		this.#plan = takeMemory(this.#group.devices, purpose, (memories) => {
			return new TrainingPlan(this.#network, batchSize, memories, this.#group.overlaps ? 2 : 1, before);
		});
		return this.#plan;
	}
}

function meansOf([loss = NaN, top1 = NaN, top5 = NaN]: Iterable<number>, count: number): StepResult {
	return {loss: loss / count, top1: top1 / count, top5: top5 / count};
}
