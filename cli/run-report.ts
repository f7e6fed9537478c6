import {messageOf} from '../lib/base/errors.ts';
import {writeReport, type RunFolder} from '../lib/index.ts';
import type {Output} from './output.ts';

/** Times as long as writing took, in which it is not done again: it costs a run a hundredth. */
const rest = 100;

/** The page in a run's folder, written when the run ends and, while it is under way, as often as it costs nothing. */
export class RunReport {
	readonly #run: RunFolder;
	readonly #output: Output;
	#writing: Promise<void> | undefined;
	#next = 0;

	constructor(run: RunFolder, output: Output) {
		this.#run = run;
		this.#output = output;
	}

	/** Begins to write it, where it is time to. */
	refresh(): void {
		if (this.#writing || performance.now() < this.#next) return;
		const begun = performance.now();
		this.#writing = writeReport([this.#run.path])
			.then(
				() => undefined,
				// It is tried again; what then is wrong is told at the end.
				() => undefined,
			)
			.finally(() => {
				this.#next = performance.now() + rest * (performance.now() - begun);
				this.#writing = undefined;
			});
	}

	/** Writes it for the last time. A page that cannot be written is no reason to lose a run. */
	async end(): Promise<void> {
		await this.#writing;
		try {
			this.#output.note(`To look at: ${await writeReport([this.#run.path])}`);
		} catch (error) {
			this.#output.note(`warning: ${messageOf(error)}`);
		}
	}
}
