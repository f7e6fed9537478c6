// What a rank computes in a step, in seconds.
import {sum, type Block} from './blocks.ts';

/** Seconds; the lists are in the order of the blocks. */
export interface RankStep {
	/** Pictures in, and the loss. */
	readonly besides: number;
	readonly forward: readonly number[];
	readonly backward: readonly number[];
	/** Of all parameters. */
	readonly update: number;
}

/** A rank's step with so many pictures. */
export type StepOf = (pictures: number) => RankStep;

export function secondsOf({besides, forward, backward, update}: RankStep): number {
	return besides + update + sum([...forward, ...backward], (seconds) => seconds);
}

/** A measured step: pictures, and milliseconds. */
export type Measurement = readonly [pictures: number, milliseconds: number];

/**
 * From measured steps: a straight line between two batches, and from the largest and the smallest on as between their
 * neighbours; of one batch in proportion. A step is divided by multiplications: the backward pass does twice those of the
 * forward pass, but for the first layer, whose input has no gradient. The update is taken to be part of it.
 */
export function measuredStep(blocks: readonly Block[], measurements: readonly Measurement[]): StepOf {
	const milliseconds = lineThrough(measurements);
	const forward = blocks.map(({multiplications}) => multiplications);
	const backward = forward.map((multiplications, place) => (place === 0 ? 1 : 2) * multiplications);
	const all = sum([...forward, ...backward], (multiplications) => multiplications);
	return (pictures) => {
		const each = milliseconds(pictures) / 1000 / all;
		const seconds = (multiplications: number): number => multiplications * each;
		return {besides: 0, forward: forward.map(seconds), backward: backward.map(seconds), update: 0};
	};
}

function lineThrough(measurements: readonly Measurement[]): (pictures: number) => number {
	const sorted = measurements.toSorted(([a], [b]) => a - b);
	const [first = [1, NaN], second = first] = sorted;
	// Where the line would begin below 0, a step is in proportion up to the smallest batch.
	const start = second === first ? 0 : Math.max(0, valueAt(0, first, second));
	const points: Measurement[] = [[0, start], ...sorted];
	return (pictures) => {
		const above = points.findIndex(([at], place) => place > 0 && at >= pictures);
		const end = above < 0 ? points.length - 1 : above;
		return valueAt(pictures, points[end - 1] ?? first, points[end] ?? first);
	};
}

function valueAt(pictures: number, [x0, y0]: Measurement, [x1, y1]: Measurement): number {
	return y0 + ((y1 - y0) * (pictures - x0)) / (x1 - x0);
}
