// A step in which each rank has the whole net and a share of the pictures, and gradients are added up.
import type {Wire} from '../net/group.ts';
import type {Precision} from '../net/options.ts';
import {sum, type Block} from './blocks.ts';
import {shareSent, stagesOf, type Joint, type Limit, type Stage} from './collectives.ts';
import {secondsOf, type RankStep} from './rank-step.ts';
import {endOf, limitOf, type Transfer} from './timeline.ts';

/** How long a step of several ranks takes, in seconds, and what it moves. */
export interface StepTime {
	readonly seconds: number;
	/** Of a rank's computing. */
	readonly computing: number;
	/** Adding up gradients, where nothing else goes on. */
	readonly alone: number;
	/** Of that, the time in which nothing is computed. */
	readonly shown: number;
	readonly limit: Limit;
	/** That a rank sends. */
	readonly bytesSent: number;
}

export interface Exchange extends Joint {
	readonly wire: Wire;
	readonly overlap: boolean;
}

/** Of an activation or a gradient. */
export const bytesOfValue: Readonly<Record<Precision, number>> = {fp32: 4, tf32: 4, bf16: 2};

/** How gradients of a block are added up. */
function gradientStages({parameters}: Block, ranks: number, joint: Exchange): readonly Stage[] {
	const bytes = parameters * bytesOfValue[joint.wire];
	// The GPU has fp32 gradients; the host rounds them.
	return stagesOf({ranks, bytes, rounds: 2, hostBytes: parameters * bytesOfValue.fp32}, joint);
}

/**
 * The backward pass, and the sums under way meanwhile: each block's begins when the pass has left the block, as in
 * lib/net/reduction.ts.
 *
 * @param start when the backward pass begins
 * @returns when the pass and the sums have ended, and all transfers
 */
export function backwardPass(
	start: number,
	seconds: readonly number[],
	blocks: readonly Block[],
	ranks: number,
	joint: Exchange,
): {computed: number; summed: number; transfers: readonly Transfer[]} {
	let time = start;
	const left: {ready: number; block: Block}[] = [];
	for (const [place, block] of [...blocks.entries()].toReversed()) {
		time += seconds[place] ?? 0;
		left.push({ready: time, block});
	}
	const transfers = left.map(({ready, block}) => {
		return {ready: joint.overlap ? ready : time, stages: gradientStages(block, ranks, joint)};
	});
	return {computed: time, summed: Math.max(time, endOf(transfers)), transfers};
}

export function dataParallelStep(step: RankStep, blocks: readonly Block[], ranks: number, joint: Exchange): StepTime {
	const start = step.besides + sum(step.forward, (seconds) => seconds);
	const {computed, summed, transfers} = backwardPass(start, step.backward, blocks, ranks, joint);
	const computing = secondsOf(step);
	const bytes = sum(blocks, ({parameters}) => parameters) * bytesOfValue[joint.wire];
	return {
		seconds: summed + step.update,
		computing,
		alone: endOf(transfers.map(({stages}) => ({ready: 0, stages}))),
		shown: summed - computed,
		limit: limitOf(
			computing,
			transfers.flatMap(({stages}) => stages),
		),
		bytesSent: 2 * shareSent(ranks) * bytes,
	};
}
