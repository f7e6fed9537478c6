// How the ranks of a group stay together: what one of them cannot do, none goes on without.
import {deserialize, serialize} from 'node:v8';
import {shortened} from '../base/check.ts';
import {AlexNetError, isAlexNetError, messageOf, type ErrorCode} from '../base/errors.ts';
import type {Group} from '../net/group.ts';

/** What another rank has thrown. */
export class RankError extends AlexNetError {
	/** Which rank. */
	readonly rank: number;
	/** The fields of what it has thrown. */
	readonly details: Readonly<Record<string, unknown>>;

	constructor({rank, host, code, message, details}: Failure) {
		super(code, `Rank ${rank} on ${host}: ${message}`);
		this.rank = rank;
		this.details = details;
	}
}

interface Failure {
	readonly rank: number;
	readonly host: string;
	readonly code: ErrorCode;
	readonly message: string;
	readonly details: Readonly<Record<string, unknown>>;
	/** Whether somebody asked for an end, and nothing is wrong. */
	readonly isStop: boolean;
}

/** Errors that all ranks throw at the same place: they can still do something together. */
const agreed = new WeakSet<object>();
const stops = new WeakSet<object>();

/** Whether all ranks have thrown it, or what stands for it there. */
export function isAgreed(error: unknown): boolean {
	return typeof error === 'object' && error !== null && agreed.has(error);
}

/** Whether it is the reason for which a rank was asked to stop. */
export function isStop(error: unknown): boolean {
	return typeof error === 'object' && error !== null && stops.has(error);
}

/** An error that all ranks throw, each its own copy, of what all of them know. */
export function together<E extends Error>(error: E): E {
	agreed.add(error);
	return error;
}

/**
 * What each rank's work gives, plain data, in the order of the ranks.
 *
 * @param signal where it has aborted on any rank, all throw its reason, or a {@link RankError} that tells of it
 * @throws where the work of any rank does: its error, or a {@link RankError} that tells of it, on all ranks.
 */
export async function exchange<T>(
	group: Group,
	work: () => T | Promise<T>,
	{signal, sequence}: {signal?: AbortSignal | undefined; sequence?: 'steps' | 'loading'} = {},
): Promise<readonly T[]> {
	let own: {value: T} | {error: unknown};
	try {
		signal?.throwIfAborted();
		own = {value: await work()};
	} catch (error) {
		own = {error};
	}
	const isStop = 'error' in own && signal?.aborted === true && own.error === signal.reason;
	const told = 'error' in own ? {failure: failureOf(group, own.error, isStop)} : own;
	const all = (await group.gather(serialize(told), sequence)).map((bytes) => {
		return deserialize(bytes) as {value: T} | {failure: Failure};
	});
	const failures = all.flatMap((each) => ('failure' in each ? [each.failure] : []));
	// What is wrong comes before what was asked for.
	const first = failures.find((failure) => !failure.isStop) ?? failures[0];
	if (!first) return all.flatMap((each) => ('value' in each ? [each.value] : []));
	const error = first.rank === group.rank && 'error' in own ? own.error : new RankError(first);
	if (typeof error === 'object' && error !== null) {
		agreed.add(error);
		if (first.isStop) stops.add(error);
	}
	throw error;
}

/** What rank 0's work gives, on all ranks; as {@link exchange}. */
export async function fromFirst<T>(group: Group, work: () => T | Promise<T>): Promise<T> {
	const [first] = await exchange<T | undefined>(group, () => (group.rank === 0 ? work() : undefined));
	return first as T;
}

function failureOf({rank, host}: Group, error: unknown, isStop: boolean): Failure {
	const code = isAlexNetError(error) ? error.code : 'ALEXNET_MPI';
	const details = JSON.parse(
		JSON.stringify(error instanceof Error ? Object.fromEntries(Object.entries(error)) : {}),
	) as Record<string, unknown>;
	return {rank, host, code, message: messageOf(error), details, isStop};
}

/** @throws ALEXNET_ARGUMENT on all ranks, where a rank has another value than rank 0 of a fact, by name. */
export async function requireSame(group: Group, facts: Readonly<Record<string, unknown>>): Promise<void> {
	const told = Object.entries(facts).filter(([, value]) => value !== undefined);
	const own = Object.fromEntries(told.map(([name, value]) => [name, JSON.stringify(value)]));
	const all = await exchange(group, () => ({host: group.host, own}));
	const [first] = all;
	for (const [rank, {host, own: theirs}] of all.entries()) {
		const name = Object.keys({...theirs, ...first?.own}).find((each) => theirs[each] !== first?.own[each]);
		if (name === undefined) continue;
		const [here, there] = [theirs[name], first?.own[name]].map((value = 'none') => shortened(value, 120));
		const message =
			`Rank ${rank} on ${host} differs from rank 0 in ${name}: ${here ?? ''} instead of ${there ?? ''}. ` +
			'Start all ranks with the same command, package and pictures.';
		throw together(new AlexNetError('ALEXNET_ARGUMENT', message));
	}
}
