// How training scales with ranks, before anybody has them: a step for each number of ranks, by a model.
import {AlexNetError} from '../base/errors.ts';
import type {Block} from './blocks.ts';
import {bytesOfValue, dataParallelStep, type StepTime} from './data-parallel.ts';
import type {Limit} from './collectives.ts';
import type {Planned} from './options.ts';
import type {StepOf} from './rank-step.ts';
import {splitStep} from './split.ts';

/** A step, as tables tell it. */
export interface PlannedStep {
	readonly stepMs: number;
	readonly computeMs: number;
	/** All that ranks tell each other, where nothing else goes on. */
	readonly exchangeMs: number;
	/** Of that, the share during which ranks compute; 1 where nothing is told. */
	readonly hiddenShare: number;
	readonly imagesPerSecond: number;
	/** Images a second, by those of as many single ranks. */
	readonly efficiency: number;
	/** What is busy longest. */
	readonly limit: Limit;
	/** That a rank sends. */
	readonly megabytesSent: number;
}

export interface PlannedRow {
	readonly ranks: number;
	/** Of a step, all together. */
	readonly pictures: number;
	/** Gradients added up. */
	readonly data: PlannedStep;
	/** Convolutions by data, fully connected layers by model. */
	readonly split: PlannedStep;
}

export interface Plan {
	/** The batch of all ranks is the same. */
	readonly strong: readonly PlannedRow[];
	/** The batch of a rank is the same. */
	readonly weak: readonly PlannedRow[];
}

/**
 * @param blocks of the net, of which the linear ones come last
 * @throws ALEXNET_ARGUMENT where ranks do not fill their machines.
 */
export function planOf(options: Planned, blocks: readonly Block[], stepOf: StepOf): Plan {
	const {batchSize} = options;
	const counts = rankCounts(options);
	const rowsOf = (picturesOf: (ranks: number) => number): readonly PlannedRow[] => {
		const alone = batchSize / dataParallelStep(stepOf(batchSize), blocks, 1, options).seconds;
		return counts.flatMap((ranks) => {
			const pictures = picturesOf(ranks);
			if (pictures < ranks) return []; // a rank would have none
			const own = Math.ceil(pictures / ranks);
			const told = (time: StepTime): PlannedStep => inWords(time, pictures, ranks * alone);
			const split = splitStep(
				stepOf,
				blocks,
				{own, total: pictures},
				{ranks, valueBytes: bytesOfValue[options.precision]},
				options,
			);
			return [{ranks, pictures, data: told(dataParallelStep(stepOf(own), blocks, ranks, options)), split: told(split)}];
		});
	};
	return {strong: rowsOf(() => batchSize), weak: rowsOf((ranks) => ranks * batchSize)};
}

function inWords(time: StepTime, pictures: number, ideal: number): PlannedStep {
	const imagesPerSecond = pictures / time.seconds;
	return {
		...{stepMs: time.seconds * 1000, computeMs: time.computing * 1000, exchangeMs: time.alone * 1000},
		hiddenShare: time.alone > 0 ? Math.max(0, 1 - time.shown / time.alone) : 1,
		...{imagesPerSecond, efficiency: imagesPerSecond / ideal, limit: time.limit},
		megabytesSent: time.bytesSent / 1e6,
	};
}

/** 1, 2, 4, … of a machine, then machines 1, 2, 4, …, and what was asked for. */
function rankCounts({ranks, perNode}: Planned): readonly number[] {
	if (ranks > perNode && ranks % perNode !== 0) {
		const message = `ranks must be a multiple of perNode where they are more, got ${ranks} and ${perNode}.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const counts = new Set<number>();
	for (let count = 1; count < perNode && count < ranks; count *= 2) counts.add(count);
	for (let count = perNode; count < ranks; count *= 2) counts.add(count);
	return [...counts.add(ranks)];
}

/** The largest number of ranks up to which at least half of the work of each counts; 1 where not even that of two does. */
export function paysUpTo(rows: readonly PlannedRow[], which: 'data' | 'split' = 'data'): number {
	const stop = rows.findIndex((row) => row[which].efficiency < 0.5);
	const {ranks = 0} = rows[stop < 0 ? rows.length - 1 : stop - 1] ?? {};
	return ranks;
}
