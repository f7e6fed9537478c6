// A step as Krizhevsky splits it (2014, "One weird trick for parallelizing convolutional neural networks"): convolutions by
// data, as dataParallelStep; of fully connected layers each rank has a part of the outputs, for the pictures of all ranks.
// What these layers read is handed around (all-gather), their input gradients are added up (reduce-scatter); of weights
// only the convolutions' gradients travel. None of the activations' way is taken to be hidden, which is the worst case:
// in the paper's scheme (c) ranks take turns, and the next one's activations travel while one's are multiplied.
import {sum, type Block} from './blocks.ts';
import {shareSent, stagesOf, type Stage} from './collectives.ts';
import {backwardPass, bytesOfValue, type StepTime, type Exchange} from './data-parallel.ts';
import type {StepOf} from './rank-step.ts';
import {endOf, limitOf} from './timeline.ts';

export interface SplitPictures {
	/** Of the rank that has most. */
	readonly own: number;
	/** Of all ranks. */
	readonly total: number;
}

/**
 * @param valueBytes bytes of an activation
 * @param blocks of which the linear ones come last
 */
export function splitStep(
	stepOf: StepOf,
	blocks: readonly Block[],
	{own, total}: SplitPictures,
	{ranks, valueBytes}: {ranks: number; valueBytes: number},
	joint: Exchange,
): StepTime {
	const first = blocks.findIndex(({isLinear}) => isLinear);
	const [convolutions, linear] = [blocks.slice(0, first), blocks.slice(first)];
	const [ofOwn, ofAll] = [stepOf(own), stepOf(total)];
	const seconds = (values: readonly number[]): number => sum(values, (value) => value);
	const linearSeconds = (seconds(ofAll.forward.slice(first)) + seconds(ofAll.backward.slice(first))) / ranks;
	const parameters = sum(blocks, (block) => block.parameters);
	const ownParameters = sum(convolutions, (block) => block.parameters);
	const held = ownParameters + (parameters - ownParameters) / ranks;
	const update = (ofOwn.update * held) / parameters;

	// Forward what each layer reads and the logits; backward each layer's input gradient.
	const values = [
		...linear.map(({inputs}) => inputs),
		linear.at(-1)?.outputs ?? 0,
		...linear.map(({inputs}) => inputs),
	];
	const activations = values.map((each) => stagesOf({ranks, bytes: total * each * valueBytes, rounds: 1}, joint));
	const moving = sum(activations, (stages) => endOf([{ready: 0, stages}]));

	const start = ofOwn.besides + seconds(ofOwn.forward.slice(0, first)) + linearSeconds + moving;
	const backward = ofOwn.backward.slice(0, first);
	const {computed, summed, transfers} = backwardPass(start, backward, convolutions, ranks, joint);
	const computing = computed - moving + update;
	const stages: Stage[] = [...activations, ...transfers.map((transfer) => transfer.stages)].flat();
	return {
		seconds: summed + update,
		computing,
		alone: moving + endOf(transfers.map((transfer) => ({...transfer, ready: 0}))),
		shown: moving + summed - computed,
		limit: limitOf(computing, stages),
		bytesSent:
			shareSent(ranks) *
			(total * valueBytes * sum(values, (each) => each) + 2 * ownParameters * bytesOfValue[joint.wire]),
	};
}
