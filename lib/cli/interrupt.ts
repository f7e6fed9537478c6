import {exitCodes, Interruption} from './exit-codes.ts';

/** Wrappers such as npm and tsx may pass a signal on that the terminal has sent already: within this time it is one. */
const sameSignalMilliseconds = 300;

/**
 * Aborts with an {@link Interruption} at the first Ctrl-C or SIGTERM, so that work can end in good order; the second
 * ends the process at once. Dispose of it to have signals end the process again.
 */
export class Interruptible implements Disposable {
	readonly #controller = new AbortController();
	readonly #onInterrupt: () => void;
	#first = 0;

	/** @param onInterrupt tells the user what happens now */
	constructor(onInterrupt: () => void) {
		this.#onInterrupt = onInterrupt;
		process.on('SIGINT', this.#handle);
		process.on('SIGTERM', this.#handle);
	}

	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	[Symbol.dispose](): void {
		process.off('SIGINT', this.#handle);
		process.off('SIGTERM', this.#handle);
	}

	readonly #handle = (signal: NodeJS.Signals): void => {
		if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
		if (!this.signal.aborted) {
			this.#first = performance.now();
			this.#onInterrupt();
			this.#controller.abort(new Interruption(signal));
		} else if (performance.now() - this.#first > sameSignalMilliseconds) {
			process.exit(exitCodes[signal]);
		}
	};
}
