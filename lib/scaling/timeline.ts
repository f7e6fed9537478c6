// Transfers one behind the other: each resource takes one at a time, in the order in which they are ready.
import {sum} from './blocks.ts';
import type {Limit, Resource, Stage} from './collectives.ts';

export interface Transfer {
	/** When it may begin, in seconds. */
	readonly ready: number;
	readonly stages: readonly Stage[];
}

/** When the last one has ended; 0 where there are none. */
export function endOf(transfers: readonly Transfer[]): number {
	const free = new Map<Resource, number>();
	let last = 0;
	for (const {ready, stages} of transfers) {
		let time = ready;
		for (const {on, seconds} of stages) {
			time = Math.max(time, free.get(on) ?? 0) + seconds;
			free.set(on, time);
		}
		last = Math.max(last, time);
	}
	return last;
}

/** What is busy longest in a step. */
export function limitOf(computing: number, stages: readonly Stage[]): Limit {
	let most: {limit: Limit; seconds: number} = {limit: 'compute', seconds: computing};
	for (const resource of new Set(stages.map(({on}) => on))) {
		const own = stages.filter(({on}) => on === resource);
		const seconds = sum(own, (stage) => stage.seconds);
		if (seconds > most.seconds) most = {limit: mostOf(own), seconds};
	}
	return most.limit;
}

function mostOf(stages: readonly Stage[]): Limit {
	const seconds = new Map<Limit, number>();
	for (const stage of stages) seconds.set(stage.limit, (seconds.get(stage.limit) ?? 0) + stage.seconds);
	return [...seconds].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}
