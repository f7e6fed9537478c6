// How a run's progress changes with its steps and epochs.
import type {Measures} from './evaluate.ts';
import type {StepResult} from '../net/options.ts';
import type {Environment, EpochProgress, Progress} from '../net/progress.ts';
import type {Schedule} from './schedule.ts';

/** How many times the loss of a net that knows nothing, ln(classes), a loss may be. */
const mostTimesChance = 10;

/** Whether a mean loss is far above what guessing gives, which only a net has whose weights have run away. */
export function hasDiverged(loss: number, classes: number): boolean {
	return loss > mostTimesChance * Math.log(classes);
}

const noSteps: EpochProgress = {steps: 0, place: 0, loss: 0, top1: 0, top5: 0};

/** @param unreadable places of the training pictures that are known not to be readable */
export function newProgress(
	pictures: Progress['pictures'],
	environment: Environment,
	unreadable: readonly number[],
): Progress {
	return {epochs: 0, epoch: noSteps, schedule: {waited: 0, divisions: 0}, unreadable, pictures, environment};
}

/**
 * @param order of the epoch's pictures
 * @param indices the step's pictures; those between them in the order could not be read
 */
export function afterStep(progress: Progress, order: Int32Array, indices: Int32Array, result: StepResult): Progress {
	const {steps, place, loss, top1, top5} = progress.epoch;
	const end = order.indexOf(indices.at(-1) ?? 0, place) + 1;
	const seen = new Set(indices);
	const skipped = order.subarray(place, end).filter((index) => !seen.has(index));
	const fresh = [...skipped].filter((index) => !progress.unreadable.includes(index));
	return {
		...progress,
		epoch: {
			steps: steps + 1,
			place: end,
			loss: loss + result.loss,
			top1: top1 + result.top1,
			top5: top5 + result.top5,
		},
		unreadable: fresh.length > 0 ? [...progress.unreadable, ...fresh].sort((a, b) => a - b) : progress.unreadable,
	};
}

interface EpochEnd {
	schedule: Schedule;
	step: number;
	classes: number;
	evaluation: Measures | undefined;
}

/**
 * The progress after an epoch, the means over its steps, whether training has diverged, and whether the learning rate
 * is to be divided. An epoch that has diverged is never the best.
 */
export function afterEpoch(
	{epoch, best, ...progress}: Progress,
	{schedule, step, classes, evaluation}: EpochEnd,
): {progress: Progress; means: StepResult; diverged: boolean; divides: boolean} {
	const epochs = progress.epochs + 1;
	const means = {loss: epoch.loss / epoch.steps, top1: epoch.top1 / epoch.steps, top5: epoch.top5 / epoch.steps};
	const error = evaluation ? 1 - evaluation.top1 : means.loss;
	const divides = schedule.divides(epochs, evaluation && error);
	const diverged = [means, ...(evaluation ? [evaluation] : [])].some(({loss}) => hasDiverged(loss, classes));
	const lowest = !diverged && (!best || error < best.error) ? {epoch: epochs, step, error} : best;
	return {
		progress: {...progress, epochs, epoch: noSteps, ...(lowest && {best: lowest}), schedule: schedule.state},
		means,
		diverged,
		divides,
	};
}
