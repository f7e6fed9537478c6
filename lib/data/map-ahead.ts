/**
 * What `begin` makes of each value, in the values' order, with up to `count` of them begun before the consumer asks. A
 * result does not wait for the values that follow. When the consumer leaves early the source is told to end, and not
 * waited for: its next value may be long in coming.
 */
export async function* mapAhead<T, R>(
	source: Iterable<T> | AsyncIterable<T>,
	count: number,
	begin: (value: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
	const values = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
	const begun: Promise<{value: R} | undefined>[] = [];
	let last: Promise<unknown> = Promise.resolve();
	const beginNext = (): void => {
		const next = last.then(() => values.next());
		const result = next.then(async ({done, value}) => (done === true ? undefined : {value: await begin(value)}));
		last = next;
		result.catch(() => undefined); // It is reported when its turn comes, or dropped with the rest.
		begun.push(result);
	};
	try {
		for (;;) {
			while (begun.length < count) beginNext();
			const result = await begun.shift();
			if (!result) return;
			yield result.value;
		}
	} finally {
		void last.then(() => values.return?.()).catch(() => undefined);
	}
}
