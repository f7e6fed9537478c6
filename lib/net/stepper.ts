import type {DeviceGroup} from '../device/device-group.ts';
import {takeMemory, type Memory} from '../device/memory.ts';
import type {StepResult} from './options.ts';
import {TrainingPlan, type Network} from './plan.ts';
import {sgd, type SgdSettings} from './sgd.ts';

/** A batch, and how it is seen. */
export interface Batch {
	/** [N, imageSize, imageSize, 3] */
	readonly images: Uint8Array;
	/** [N] */
	readonly labels: Int32Array;
	/** [N, 6], see lib/data/views.ts */
	readonly views: Float32Array;
	/** Updates made so far. */
	readonly step: number;
}

/**
 * Makes training steps. It holds the memory of one batch size, that of the last step: activations of a batch are most of
 * what training takes, and a run has one size.
 */
export class Stepper {
	readonly #network: Network;
	readonly #group: DeviceGroup;
	readonly #later: (memories: readonly Memory[]) => void;
	#plan: TrainingPlan | undefined;

	/** @param later asks outlines for what a run takes besides steps */
	constructor(network: Network, group: DeviceGroup, later: (memories: readonly Memory[]) => void) {
		this.#network = network;
		this.#group = group;
		this.#later = later;
	}

	/** Forward, backward and, where there are settings, the update. Where it fails the weights are as they were. */
	async make({images, labels, views, step}: Batch, update: SgdSettings | undefined): Promise<StepResult> {
		const count = labels.length;
		const plan = await this.#planFor(count);
		plan.write(images, views);
		plan.labels.write(labels);
		plan.forward(step);
		plan.backward();
		if (update) {
			this.#group.meet(); // either all devices update their weights or, where one has failed, none
			sgd(this.#network.layers, update);
		}
		const result = new Float32Array(3);
		await this.#group.settle(plan.result.read(result));
		const [loss = NaN, top1 = NaN, top5 = NaN] = result;
		return {loss: loss / count, top1: top1 / count, top5: top5 / count};
	}

	/** See {@link TrainingPlan.firstNotFinite}; of the last step. */
	async firstNotFinite(): Promise<string | undefined> {
		return this.#plan?.firstNotFinite();
	}

	dispose(): void {
		this.#plan?.dispose();
		this.#plan = undefined;
	}

	async #planFor(batchSize: number): Promise<TrainingPlan> {
		if (this.#plan?.batchSize === batchSize) return this.#plan;
		if (this.#plan) {
			this.dispose();
			await this.#group.synchronize(); // its memory is free then
		}
		const later = (_: TrainingPlan, memories: readonly Memory[]): void => this.#later(memories);
		const purpose = {purpose: `A training step of ${batchSize} pictures`, advice: 'Try a smaller batchSize.', later};
		this.#plan = takeMemory(this.#group.devices, purpose, (memories) => {
			return new TrainingPlan(this.#network, batchSize, memories);
		});
		return this.#plan;
	}
}
