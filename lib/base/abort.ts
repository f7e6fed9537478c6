/** What `promise` gives, or a rejection with the signal's reason as soon as it aborts; `promise` goes on unheard then. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (!signal) return promise;
	let stop = (): void => undefined;
	const aborted = new Promise<never>((_, reject) => {
		stop = () => {
			reject(signal.reason as Error);
		};
		if (signal.aborted) stop();
		else signal.addEventListener('abort', stop, {once: true});
	});
	try {
		return await Promise.race([aborted, promise]);
	} finally {
		signal.removeEventListener('abort', stop);
	}
}
