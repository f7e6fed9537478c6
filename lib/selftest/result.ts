// What the tests report.
import type {ErrorCode} from '../base/errors.ts';
import type {Precision} from '../net/options.ts';
import type {RealType} from './bfloat16.ts';
import type {Comparison} from './tolerance.ts';

export interface Failure {
	readonly precision: Precision;
	/** Of an operation the shape, of other tests what was compared. */
	readonly what: string;
	/** The first element that differs with both values, or what was thrown. */
	readonly message: string;
	/** Of what was thrown. */
	readonly code?: ErrorCode | undefined;
}

type ByPrecision = Readonly<Partial<Record<Precision, number>>>;

/** A test on a device, or on two. */
export interface TestResult {
	/** "cuda:0", "cuda:0 → cuda:1" */
	readonly on: string;
	/** The operation's verb, or what else was tested. */
	readonly test: string;
	readonly outcome: 'passed' | 'failed' | 'not run';
	/** The worst error as a share of what is permitted: 1 is the limit, 0 where all is exact. */
	readonly worst: ByPrecision;
	/** Median of a few runs, where time was taken. */
	readonly milliseconds: ByPrecision;
	readonly failures: readonly Failure[];
	/** Why it was not run, or what else there is to say. */
	readonly note?: string | undefined;
}

export const precisionOf = {float32: 'fp32', bfloat16: 'bf16'} as const satisfies Record<RealType, Precision>;

/** Under which precision a case is reported. */
export function reportedAs({type, tf32}: {readonly type: RealType; readonly tf32?: boolean | undefined}): Precision {
	return tf32 ? 'tf32' : precisionOf[type];
}

/** Gathers a test's result. */
export class Tally {
	readonly #on: string;
	readonly #test: string;
	readonly #worst: Partial<Record<Precision, number>> = {};
	readonly #milliseconds: Partial<Record<Precision, number>> = {};
	readonly #failures: Failure[] = [];
	#note: string | undefined;
	#notRun: string | undefined;

	constructor(on: string, test: string) {
		this.#on = on;
		this.#test = test;
	}

	compared(precision: Precision, what: string, {share, failure}: Comparison): void {
		this.#worst[precision] = Math.max(share, this.#worst[precision] ?? 0);
		if (failure !== undefined) this.#failures.push({precision, what, message: failure});
	}

	failed(precision: Precision, what: string, message: string, code?: ErrorCode): void {
		this.#failures.push({precision, what, message, code});
	}

	took(precision: Precision, milliseconds: number): void {
		this.#milliseconds[precision] = milliseconds + (this.#milliseconds[precision] ?? 0);
	}

	note(text: string): void {
		this.#note = text;
	}

	/** It could not be run, or not to its end. */
	notRun(reason: string): void {
		this.#notRun ??= reason;
	}

	get result(): TestResult {
		const isCompared = Object.keys(this.#worst).length > 0;
		const reason = this.#notRun ?? (isCompared ? undefined : 'nothing was compared');
		const failedOrNot = reason === undefined ? 'passed' : 'not run';
		return {
			on: this.#on,
			test: this.#test,
			outcome: this.#failures.length > 0 ? 'failed' : failedOrNot,
			worst: this.#worst,
			milliseconds: this.#milliseconds,
			failures: this.#failures,
			note: reason ?? this.#note,
		};
	}
}
