import {requireInteger} from './check.ts';

export interface ScheduleOptions {
	/** Epochs after which the learning rate is divided by 10. Without it, validation decides. */
	divideAt?: readonly number[] | undefined;
	/** Epochs without a better validation error after which the rate is divided by 10. Default 5. */
	patience?: number | undefined;
}

/** How often validation may divide the rate: "reduced three times prior to termination".                      paper 5 */
const mostDivisions = 3;

/** When the learning rate is divided by 10: after listed epochs, or when validation stops improving.           paper 5 */
export class Schedule {
	readonly #divideAt: readonly number[] | undefined;
	readonly #patience: number;
	#best = Infinity;
	#waited = 0;
	#divisions = 0;

	constructor({divideAt, patience = 5}: ScheduleOptions) {
		for (const epoch of divideAt ?? []) requireInteger('divideAt', epoch, 1);
		this.#divideAt = divideAt;
		this.#patience = requireInteger('patience', patience, 1);
	}

	/**
	 * @param epoch the epoch that has ended, from 1
	 * @param error share of validation pictures classified wrongly, if there were any
	 * @returns whether the rate is to be divided now
	 */
	divides(epoch: number, error: number | undefined): boolean {
		if (this.#divideAt) return this.#divideAt.includes(epoch);
		if (error === undefined) return false;
		if (error < this.#best) {
			this.#best = error;
			this.#waited = 0;
			return false;
		}
		if (++this.#waited < this.#patience || this.#divisions === mostDivisions) return false;
		this.#waited = 0;
		++this.#divisions;
		return true;
	}
}
