import type {DeviceGroup} from '../device/device-group.ts';
import {smallerBatch, takeMemory, type Memory} from '../device/memory.ts';
import {InferencePlan} from './inference-plan.ts';
import type {Network} from './plan.ts';
import {Predictor} from './predictor.ts';

/** The predictors of a net: of probabilities, and of the outputs of each layer that has been asked for. */
export class Predictors {
	readonly #network: Network;
	readonly #group: DeviceGroup;
	readonly #most: number;
	readonly #inTurn: <T>(work: () => Promise<T>) => Promise<T>;
	/** By the layer whose outputs they give; of probabilities by undefined. */
	readonly #all = new Map<string | undefined, Predictor>();

	/**
	 * @param most views in a batch
	 * @param inTurn runs work while nothing else reads or changes the weights
	 */
	constructor(network: Network, group: DeviceGroup, most: number, inTurn: <T>(work: () => Promise<T>) => Promise<T>) {
		this.#network = network;
		this.#group = group;
		this.#most = most;
		this.#inTurn = inTurn;
	}

	/** @param layer whose outputs it gives; undefined for probabilities */
	of(layer: string | undefined): Predictor {
		const known = this.#all.get(layer);
		if (known) return known;
		const {imageSize} = this.#network;
		const plan = (rows: number): InferencePlan => {
			const purpose = {purpose: `Inference on ${rows} views at once`, advice: smallerBatch};
			return takeMemory(this.#group.devices, purpose, (memories) => {
				return new InferencePlan(this.#network, rows, memories, layer);
			});
		};
		const predictor = new Predictor({
			plan,
			settle: (promise) => this.#group.settle(promise),
			inTurn: this.#inTurn,
			most: this.#most,
			pictureBytes: imageSize * imageSize * 3,
		});
		this.#all.set(layer, predictor);
		return predictor;
	}

	/** Asks outlines for the plans that evaluating takes and that are not there yet. */
	outline(memories: readonly Memory[]): void {
		for (const rows of this.of(undefined).missing) new InferencePlan(this.#network, rows, memories);
	}

	/** Calls that wait for a batch reject with this error. */
	refuse(error: Error): void {
		for (const predictor of this.#all.values()) predictor.refuse(error);
	}

	dispose(): void {
		for (const predictor of this.#all.values()) predictor.dispose();
	}
}
