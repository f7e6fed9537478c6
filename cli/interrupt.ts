import {endingSignals, exitCodes, Interruption, type EndingSignal} from './exit-codes.ts';
import {ignoresHangup} from './hangup.ts';

/** Wrappers such as npm and tsx may pass a signal on that the terminal has sent already: within this time it is one. */
const sameSignalMilliseconds = 300;

/**
 * Aborts with an {@link Interruption} at the first Ctrl-C, SIGTERM or, but under nohup, SIGHUP, so that work can end in
 * good order; the second ends the process at once. Dispose of it to have signals end the process again.
 */
export class Interruptible implements Disposable {
	readonly #controller = new AbortController();
	readonly #onInterrupt: () => void;
	#first = 0;

	/** @param onInterrupt tells the user what happens now */
	constructor(onInterrupt: () => void) {
		this.#onInterrupt = onInterrupt;
		for (const signal of endingSignals) process.on(signal, this.#handle);
	}

	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	[Symbol.dispose](): void {
		for (const signal of endingSignals) process.off(signal, this.#handle);
	}

	readonly #handle = (signal: NodeJS.Signals): void => {
		if (!isEnding(signal) || (signal === 'SIGHUP' && ignoresHangup())) return;
		this.interrupt(signal);
	};

	/** As if the signal had come. */
	interrupt(signal: EndingSignal): void {
		if (!this.signal.aborted) {
			this.#first = performance.now();
			this.#onInterrupt();
			this.#controller.abort(new Interruption(signal));
		} else if (performance.now() - this.#first > sameSignalMilliseconds) {
			process.exit(exitCodes[signal]);
		}
	}
}

function isEnding(signal: NodeJS.Signals): signal is EndingSignal {
	return (endingSignals as readonly NodeJS.Signals[]).includes(signal);
}
