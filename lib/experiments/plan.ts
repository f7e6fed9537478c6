// Which runs an experiment takes, and in which order.
import type {Arm, Experiment, ExperimentSize} from './experiment.ts';

/** The seed with which rates are searched: none that is measured. */
export const searchSeed = 0;

/** A run of an arm. */
export interface PlannedRun {
	/** Its folder in the experiment's. */
	readonly path: string;
	readonly arm: Arm;
	/** Decides weights, masks, crops and order. */
	readonly seed: number;
	/** In a search for the best one; otherwise what was found, or the size's. */
	readonly rate?: number | undefined;
}

/** The runs that find each arm's learning rate, then those that are measured: seed by seed, so that arms stay abreast. */
export function plannedRuns(
	{arms}: Pick<Experiment, 'arms'>,
	{rates = []}: ExperimentSize,
	seeds: number,
): PlannedRun[] {
	const own = arms.filter(({runsOf}) => runsOf === undefined);
	const searched = own.flatMap((arm) =>
		rates.map((rate) => ({path: `${arm.name}/rate-${rate}`, arm, seed: searchSeed, rate})),
	);
	const measured = Array.from({length: seeds}, (_, index) => index + 1).flatMap((seed) =>
		own.map((arm) => ({path: `${arm.name}/seed-${seed}`, arm, seed})),
	);
	return [...searched, ...measured];
}
