import {filled, integer, listOf, option, options} from '../base/check.ts';
import type {ScheduleState} from '../net/progress.ts';
import {recipes} from '../net/recipes.ts';
import type {RateScalingOptions} from './rate-scaling.ts';

/** When the learning rate is divided by 10. */
export interface ScheduleOptions {
	/** Epochs after which the learning rate is divided by 10, in place of patience. */
	divideAt?: readonly number[] | undefined;
	/** Epochs of no better validation before the rate is divided by 10. Default 5. */
	patience?: number | undefined;
}

export const scheduleOptions = options<ScheduleOptions>()({
	divideAt: option(listOf(integer(1)), 'epochs after which the learning rate is divided by 10, in place of patience'),
	patience: option(
		integer(1),
		'epochs of no better validation before the rate is divided',
		recipes.paper.train.patience,
	),
});

/** How often validation may divide the rate: "reduced three times prior to termination".                      paper 5 */
const mostDivisions = 3;

/** When the learning rate is divided by 10: after listed epochs, or when validation stops improving.           paper 5 */
export class Schedule {
	/** Where a run that is resumed goes on from. */
	state: ScheduleState;
	readonly #divideAt: readonly number[] | undefined;
	readonly #patience: number;
	readonly #warmUpEpochs: number;

	constructor(
		{warmUpEpochs = 0, ...options}: ScheduleOptions & Pick<RateScalingOptions, 'warmUpEpochs'>,
		state: ScheduleState = {waited: 0, divisions: 0},
	) {
		const {divideAt, patience} = filled(scheduleOptions, options);
		this.#divideAt = divideAt;
		this.#patience = patience;
		this.#warmUpEpochs = warmUpEpochs;
		this.state = state;
	}

	/**
	 * @param epoch the epoch that has ended, from 1
	 * @param error share of validation pictures classified wrongly, if there were any
	 * @returns whether the rate is to be divided now
	 */
	divides(epoch: number, error: number | undefined): boolean {
		if (this.#divideAt) return this.#divideAt.includes(epoch);
		if (error === undefined) return false;
		const {lowest = Infinity, waited, divisions} = this.state;
		if (error < lowest) {
			this.state = {lowest: error, waited: 0, divisions};
			return false;
		}
		// What a rate that still goes up makes worse is no reason to take it down.
		if (epoch < this.#warmUpEpochs) return false;
		const divides = waited + 1 >= this.#patience && divisions < mostDivisions;
		this.state = {lowest, waited: divides ? 0 : waited + 1, divisions: divides ? divisions + 1 : divisions};
		return divides;
	}
}
