// How far an experiment is, over all of its runs.
import type {TrainReport} from '../training/trainer.ts';
import type {PlannedRun} from './plan.ts';

/** How far an experiment is. */
export interface ExperimentProgress {
	/** Which run is under way, from 1; 0 before the first. */
	readonly run: number;
	/** How many there are. */
	readonly runs: number;
	/** Its folder in the experiment's: 'relu/seed-1'. Empty before the first. */
	readonly path: string;
	/** What is being done. */
	readonly phase: 'pictures' | 'statistics' | 'training' | 'validation' | 'measuring';
	/** Pictures, or steps of the run in training, that are done. */
	readonly done: number;
	/** How many there are. */
	readonly total: number;
	/** Until all runs have ended, as fast as they have been so far; undefined until that is known. */
	readonly secondsLeft?: number | undefined;
}

interface Work {
	readonly runs: number;
	/** Runs that had not ended before this call. */
	readonly missing: number;
	/** Of a run. */
	readonly steps: number;
}

/** Counts steps over all runs. */
export class Pace {
	readonly #work: Work;
	readonly #tell: (progress: ExperimentProgress) => void;
	#run = 0;
	#path = '';
	/** Runs that have ended in this call. */
	#ended = 0;
	/** When the first step of this call had ended, and how many had been made then, over all runs that were missing. */
	#first: {time: number; steps: number} | undefined;
	#secondsLeft: number | undefined;

	constructor(work: Work, tell: (progress: ExperimentProgress) => void = () => undefined) {
		this.#work = work;
		this.#tell = tell;
	}

	begin({path}: PlannedRun): void {
		++this.#run;
		this.#path = path;
	}

	/** Of a run that was missing. */
	end(): void {
		++this.#ended;
	}

	report(report: TrainReport): void {
		if (report.type !== 'step') return;
		const {missing, steps} = this.#work;
		const now = performance.now();
		const made = this.#ended * steps + report.step;
		this.#first ??= {time: now, steps: made};
		const perStep = (now - this.#first.time) / 1000 / (made - this.#first.steps);
		if (Number.isFinite(perStep)) this.#secondsLeft = perStep * (missing * steps - made);
		this.phase('training', report.step, steps);
	}

	phase(phase: ExperimentProgress['phase'], done: number, total: number): void {
		const {runs} = this.#work;
		this.#tell({run: this.#run, runs, path: this.#path, phase, done, total, secondsLeft: this.#secondsLeft});
	}
}
