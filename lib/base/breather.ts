import {setImmediate} from 'node:timers/promises';

/** How long a chain of short tasks may hold the event loop up. */
const sliceMilliseconds = 4;

/** Lets a long chain of short tasks pause for the event loop after each slice of time. */
export function breather(): () => Promise<void> {
	let since = performance.now();
	return async () => {
		if (performance.now() - since < sliceMilliseconds) return;
		await setImmediate();
		since = performance.now();
	};
}
