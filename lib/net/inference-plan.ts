// The forward pass alone: to the probabilities of the classes, or to what a layer puts out.
import {gather} from './gather.ts';
import {Inputs, type Batch} from './inputs.ts';
import {fused, type LayerPlan} from './layers/layer.ts';
import type {Memory} from '../device/memory.ts';
import {native} from '../device/native.ts';
import type {Tensor} from '../device/tensor.ts';
import {Plan, type Network} from './plan.ts';

/** Two arenas take turns, and what serves training alone is left out. */
export class InferencePlan extends Plan {
	/** What run() makes, fp32: [N, classes], or a layer's outputs in PyTorch's order. */
	readonly result: Tensor;
	readonly #inputs: Inputs;
	readonly #steps: readonly LayerPlan[];
	readonly #finish: () => void;

	/** @param last name of the layer whose outputs `result` is, the last that runs; without it, all run to probabilities */
	constructor(network: Network, batchSize: number, memories: readonly Memory[], last?: string) {
		const end = last === undefined ? network.layers.length : network.layers.findIndex(({name}) => name === last) + 1;
		const layers = fused(network.layers.slice(0, end).filter((layer) => !layer.trainingOnly));
		super(network, batchSize, layers, memories, 1);
		const {layouts} = this;
		this.#inputs = new Inputs(memories, batchSize, network.imageSize, false);
		const logits = end === network.layers.length ? this.allocateLogits() : undefined;
		const inner = logits ? layouts.slice(0, -1) : layouts;
		const arenas = [this.arena(inner), this.arena(inner)] as const;
		let output = this.input;
		this.#steps = layers.map((layer, index) => {
			const input = output;
			const layout = inner[index];
			output = layout ? arenas[index % 2 === 0 ? 0 : 1](layout) : logits ? [logits] : [];
			return layer.plan({memories, input, output});
		});
		if (last === undefined && logits) {
			const probabilities = this.memory.allocate(logits.shape, 'float32');
			this.result = probabilities;
			this.#finish = () => {
				native.softmax({logits, probabilities});
			};
		} else {
			// Where a layer has not cut them into columns, each device has the whole pictures.
			const parts = layouts.at(-1)?.copies === true ? output.slice(0, 1) : output;
			({whole: this.result, run: this.#finish} = gather(parts, memories));
		}
	}

	/** Queues what gives the result for a batch. Leave the arrays as they are until the devices' next promises. */
	run(batch: Batch): void {
		const inputs = this.#inputs;
		inputs.write(batch);
		inputs.arrive();
		this.replay(inputs, 0, () => {
			this.augment(inputs);
			for (const layer of this.#steps) layer.forward();
			this.#finish();
		});
		inputs.leave();
	}
}
