import {exitCodes} from './exit-codes.ts';
import {createProgress, type Progress} from './progress.ts';

let isOutlived = false;

/** The command goes on where nobody reads its output any more (`| head`, a terminal that closed): others end then. */
export function outliveOutput(): void {
	isOutlived = true;
}

/** Decides what happens where stdout or stderr cannot be written to. */
export function watchOutput(): void {
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		if (isOutlived) return;
		if (error.code === 'EPIPE' || error.code === 'EIO') process.exit(exitCodes.SIGPIPE);
		throw error;
	});
	// Nobody could be told.
	process.stderr.on('error', () => undefined);
}

/** Where a command writes: results to stdout, all else to stderr. With --json stdout has nothing but JSON. */
export class Output {
	readonly isJson: boolean;
	readonly #isSilent: boolean;
	readonly #progress: Progress = createProgress(process.stderr);

	/** @param options silent: another process says it all */
	constructor({json = false, silent = false}: {json?: boolean | undefined; silent?: boolean} = {}) {
		this.isJson = json;
		this.#isSilent = silent;
	}

	/** A result in words; with --json it accompanies the numbers, on stderr. */
	result(text: string): void {
		this.#write(this.isJson ? process.stderr : process.stdout, text);
	}

	/** What the user should know meanwhile. */
	note(text: string): void {
		this.#write(process.stderr, text);
	}

	/** A result for programs, on a line of its own; nothing without --json. */
	json(value: unknown): void {
		if (this.isJson) this.#write(process.stdout, JSON.stringify(value));
	}

	progress(task: string, done: number, total: number, details = ''): void {
		if (!this.#isSilent) this.#progress.update(task, done, total, details);
	}

	/** Takes the bar away. */
	clear(): void {
		this.#progress.clear();
	}

	#write(stream: NodeJS.WriteStream, text: string): void {
		if (this.#isSilent) return;
		this.#progress.clear();
		stream.write(`${text}\n`);
	}
}
