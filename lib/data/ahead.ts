/**
 * Yields what `source` yields, with up to `count` values asked for before the consumer asks. When the consumer leaves
 * early, `stop` is called so that the source gives up what it has begun, and the source's end is awaited.
 */
export async function* ahead<T>(
	source: AsyncGenerator<T, void, void>,
	count: number,
	stop: () => void,
): AsyncGenerator<T, void, void> {
	const asked: Promise<IteratorResult<T, void>>[] = [];
	const ask = (): void => {
		const result = source.next();
		result.catch(() => undefined); // It is reported when its turn comes, or dropped with the rest.
		asked.push(result);
	};
	try {
		for (;;) {
			while (asked.length <= count) ask();
			const result = await asked.shift();
			if (!result || result.done) return;
			yield result.value;
		}
	} finally {
		stop();
		await source.return();
	}
}

/** What `make` makes of a source's values, with a look at the next one before it is taken. */
export class Lookahead<T, R> implements AsyncIterableIterator<R, void, void> {
	readonly #source: AsyncIterator<T, void, void>;
	readonly #make: (value: T) => R;
	readonly #stop: () => void;
	#next: Promise<IteratorResult<R, void>> | undefined;

	/** @param stop called when the consumer leaves early, so that the source gives up what it was asked for */
	constructor(source: AsyncIterable<T, void, void>, make: (value: T) => R, stop: () => void) {
		this.#source = source[Symbol.asyncIterator]();
		this.#make = make;
		this.#stop = stop;
	}

	[Symbol.asyncIterator](): this {
		return this;
	}

	/** The next value, once it is there; undefined at the end, and where it fails, which the loop is told. */
	async peek(): Promise<R | undefined> {
		try {
			this.#next ??= this.#ask();
			const {value} = await this.#next;
			return value ?? undefined;
		} catch {
			return undefined;
		}
	}

	async next(): Promise<IteratorResult<R, void>> {
		const next = this.#next ?? this.#ask();
		this.#next = undefined;
		return next;
	}

	async return(): Promise<IteratorResult<R, void>> {
		this.#stop();
		await this.#source.return?.();
		return {done: true, value: undefined};
	}

	async #ask(): Promise<IteratorResult<R, void>> {
		const result = await this.#source.next();
		return result.done === true ? result : {done: false, value: this.#make(result.value)};
	}
}
