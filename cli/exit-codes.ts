// How the command ends, and what it says then.
import type {Option} from 'commander';
import {isAlexNetError, messageOf} from '../lib/base/errors.ts';
import {isStop, RankError} from '../lib/training/together.ts';
import {inOptionNames} from './option-names.ts';

export const exitCodes = {
	good: 0,
	/** Something could not be done; stderr says what and why. */
	failed: 1,
	/** The command line makes no sense. */
	usage: 2,
	/** `selftest` has found something wrong. */
	selftest: 3,
	/** `check` has found something odd. */
	check: 4,
	/** 128 + the signal's number, as shells have it. */
	SIGHUP: 129,
	SIGINT: 130,
	SIGUSR1: 138,
	SIGTERM: 143,
	/** Whoever read our output has left. */
	SIGPIPE: 141,
} as const;

/** What asks a command to come to an end: Ctrl-C, a request, a terminal that closes, a batch system before its limit. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const;
export type EndingSignal = (typeof endingSignals)[number];

/** The reason of an abort by one of them. */
export class Interruption extends Error {
	override readonly name = 'Interruption';
	readonly signal: EndingSignal;

	/** @param advice how to go on */
	constructor(signal: EndingSignal, advice?: string) {
		super(`Interrupted by ${signal}.${advice === undefined ? '' : ` ${advice}`}`);
		this.signal = signal;
	}
}

/** The signal that an error tells of, whichever rank it has reached. */
export function signalOf(error: unknown): EndingSignal | undefined {
	if (error instanceof Interruption) return error.signal;
	const signal = error instanceof RankError && isStop(error) ? error.details.signal : undefined;
	return endingSignals.find((each) => each === signal);
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
	return error instanceof Interruption ? exitCodes[error.signal] : exitCodes.failed;
}

/**
 * What the user reads: one message, with the code that errors of ours have. ALEXNET_DEBUG=1 adds the stack.
 *
 * @param options of the command that failed, which are named as they are typed
 */
export function describeError(error: unknown, options: readonly Option[] = []): string {
	if (error instanceof Interruption) return error.message;
	if (process.env.ALEXNET_DEBUG === '1' && error instanceof Error) return describeStack(error);
	if (isAlexNetError(error)) return `error: ${inOptionNames(error.message, options)} (${error.code})`;
	return `error: ${messageOf(error)} (ALEXNET_DEBUG=1 shows where)`;
}

function describeStack(error: Error): string {
	const own = `error: ${error.stack ?? error.message}`;
	return error.cause instanceof Error ? `${own}\ncaused by ${error.cause.stack ?? error.cause.message}` : own;
}
