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
	readonly phase: 'statistics' | 'training' | 'validation' | 'measuring';
	/** Pictures, or steps of the run in training, that are done. */
	readonly done: number;
	/** How many there are. */
	readonly total: number;
	/** Until all runs have ended, as fast as they have been so far; undefined until that is known. */
	readonly secondsLeft?: number | undefined;
}

/** Counts steps over all runs. */
export class Pace {
	readonly #runs: number;
	readonly #steps: number;
	readonly #tell: (progress: ExperimentProgress) => void;
	#run = 0;
	#path = '';
	/** When the first step of this call had ended, and how many had been made then, over all runs. */
	#first: {time: number; steps: number} | undefined;
	/** Of runs that had ended before this call: they cost no time. */
	#skipped = 0;
	#secondsLeft: number | undefined;
	#isMade = false;

	constructor(runs: number, steps: number, tell: (progress: ExperimentProgress) => void = () => undefined) {
		this.#runs = runs;
		this.#steps = steps;
		this.#tell = tell;
	}

	begin({path}: PlannedRun): void {
		++this.#run;
		this.#path = path;
		this.#isMade = false;
	}

	end(): void {
		if (!this.#isMade) ++this.#skipped;
	}

	report(report: TrainReport): void {
		this.#isMade = true;
		if (report.type !== 'step') return;
		const now = performance.now();
		const made = (this.#run - 1 - this.#skipped) * this.#steps + report.step;
		this.#first ??= {time: now, steps: made};
		const left = (this.#runs - this.#skipped) * this.#steps - made;
		if (made > this.#first.steps) {
			this.#secondsLeft = ((now - this.#first.time) / 1000 / (made - this.#first.steps)) * left;
		}
		this.phase('training', report.step, this.#steps);
	}

	phase(phase: ExperimentProgress['phase'], done: number, total: number): void {
		const {run, runs, path} = {run: this.#run, runs: this.#runs, path: this.#path};
		this.#tell({run, runs, path, phase, done, total, secondsLeft: this.#secondsLeft});
	}
}
