/** Work that must not overlap: one piece after the other, in the order in which they were asked for. */
export class WorkQueue {
	#last: Promise<unknown> = Promise.resolve();

	/** A piece of work must not wait for another one of the same queue. */
	async run<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#last.then(work);
		this.#last = turn.catch(() => undefined);
		return turn;
	}

	/** Resolves when all that was asked for so far has ended. */
	async drain(): Promise<void> {
		await this.#last;
	}
}
