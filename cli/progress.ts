// How far something is: a bar on a terminal, now and then a line elsewhere.
import cliProgress from 'cli-progress';

/** Without a terminal, at most one line in this time. */
const secondsBetweenLines = 5;

export interface Progress {
	/** @param task what is being done; another one begins a new bar */
	update(task: string, done: number, total: number, details: string): void;
	/** Makes room for a line of text. */
	clear(): void;
}

export function createProgress(stream: NodeJS.WriteStream): Progress {
	return stream.isTTY ? new Bar(stream) : new Lines(stream);
}

class Bar implements Progress {
	readonly #stream: NodeJS.WriteStream;
	#bar: cliProgress.SingleBar | undefined;
	#task = '';

	constructor(stream: NodeJS.WriteStream) {
		this.#stream = stream;
	}

	update(task: string, done: number, total: number, details: string): void {
		if (this.#task !== task) this.clear();
		if (!this.#bar) {
			this.#task = task;
			this.#bar = new cliProgress.SingleBar({
				stream: this.#stream,
				format: '{task} [{bar}] {value}/{total}  {details}',
				barsize: 16,
				clearOnComplete: true,
				fps: 5,
			});
			this.#bar.start(total, done, {task, details});
		}
		this.#bar.update(done, {task, details});
	}

	clear(): void {
		this.#bar?.stop();
		this.#bar = undefined;
	}
}

class Lines implements Progress {
	readonly #stream: NodeJS.WriteStream;
	#next = 0;

	constructor(stream: NodeJS.WriteStream) {
		this.#stream = stream;
	}

	update(task: string, done: number, total: number, details: string): void {
		const now = performance.now();
		if (now < this.#next) return;
		this.#next = now + secondsBetweenLines * 1000;
		this.#stream.write(`${task} ${done}/${total}${details && `  ${details}`}\n`);
	}

	clear(): void {
		// Lines stay.
	}
}
