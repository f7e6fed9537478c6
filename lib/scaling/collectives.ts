// How long ranks take to add up gradients, or to hand activations around, in rings.
import {networks, type Link} from './links.ts';
import type {Planned} from './options.ts';

/** What one transfer at a time uses. */
export type Resource = 'copies to the host' | 'GPU links' | 'ring' | 'copies to the GPU';

/** What a step may be bound by. */
export type Limit = 'compute' | 'latency' | 'network' | 'adding' | Exclude<Resource, 'ring'>;

/** A part of a collective call, which begins when the one before has ended. */
export interface Stage {
	readonly on: Resource;
	readonly seconds: number;
	readonly limit: Limit;
}

/** How ranks are joined. */
export type Joint = Pick<Planned, 'network' | 'perNode' | 'inside' | 'efficiency' | 'latency' | 'path' | 'sumRate'>;

/** Messages within a machine's memory. */
const memoryLatency = 1e-6;
/** Between a GPU and its host: what most machines have. */
const hostLink = networks.PCIe4;

interface Call {
	readonly ranks: number;
	/** Of the whole, which all ranks have at the end, or had at the beginning. */
	readonly bytes: number;
	/** Sums travel once around the ring to be added up, and once to reach everybody; a part of that is one round. */
	readonly rounds: 1 | 2;
	/** Those that go between a GPU and its host, where these differ from the bytes between ranks. */
	readonly hostBytes?: number;
}

/** An all-reduce in two rounds; an all-gather or reduce-scatter in one. Nothing where there is one rank. */
export function stagesOf({ranks, bytes, rounds, hostBytes = bytes}: Call, joint: Joint): readonly Stage[] {
	if (ranks === 1) return [];
	const {perNode, efficiency, path, sumRate} = joint;
	const here = Math.min(ranks, perNode);
	const machines = Math.ceil(ranks / here);
	const network = {...networks[joint.network], ...(joint.latency !== undefined && {microseconds: joint.latency})};
	const around = (count: number, link: Link): {seconds: number; latency: number} => {
		const latency = rounds * (count - 1) * link.microseconds * 1e-6;
		const rate = link.gigabytesPerSecond * efficiency * 1e9;
		return {latency, seconds: latency + (rounds * shareSent(count) * bytes) / rate};
	};
	const limitOf = ({seconds, latency}: {seconds: number; latency: number}, bound: Limit): Limit =>
		latency > seconds / 2 ? 'latency' : bound;
	const between = around(machines, network);
	const ring: Stage = {on: 'ring', seconds: between.seconds, limit: limitOf(between, 'network')};
	if (path === 'gpu') {
		const inMachine = around(here, networks[joint.inside]);
		const links: Stage = {on: 'GPU links', seconds: inMachine.seconds, limit: limitOf(inMachine, 'GPU links')};
		return [links, ring].filter(({seconds}) => seconds > 0);
	}
	const inMemory = rounds * (ranks - 1) * memoryLatency;
	const adding = inMemory + (rounds * shareSent(ranks) * bytes) / (sumRate * 1e9);
	// Bytes are added up as they arrive.
	const slower: Stage = between.seconds > adding ? ring : {on: 'ring', seconds: adding, limit: 'adding'};
	if (path === 'cpu') return [slower];
	const copy = hostBytes / (hostLink.gigabytesPerSecond * efficiency * 1e9);
	return [
		{on: 'copies to the host', seconds: copy, limit: 'copies to the host'},
		slower,
		{on: 'copies to the GPU', seconds: copy, limit: 'copies to the GPU'},
	];
}

/** Of the bytes, those that a rank sends in a round of a ring. */
export const shareSent = (ranks: number): number => (ranks - 1) / ranks;
