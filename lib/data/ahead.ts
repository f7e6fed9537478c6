import {setImmediate} from 'node:timers/promises';

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

/** Lets a long chain of short tasks pause for the event loop whenever this many milliseconds have passed. */
export function breather(milliseconds: number): () => Promise<void> {
	let since = performance.now();
	return async () => {
		if (performance.now() - since < milliseconds) return;
		await setImmediate();
		since = performance.now();
	};
}
