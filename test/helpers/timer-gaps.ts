import {readFileSync} from 'node:fs';

/** Gaps in milliseconds between the ticks of a 10 ms timer while the work runs: how well the event loop turns. */
export async function timerGaps(work: () => Promise<void>): Promise<number[]> {
	const gaps: number[] = [];
	let last = performance.now();
	const timer = setInterval(() => {
		const now = performance.now();
		gaps.push(now - last);
		last = now;
	}, 10);
	try {
		await work();
	} finally {
		clearInterval(timer);
	}
	return gaps;
}

/**
 * Milliseconds of processor time that this thread takes between the ticks of a timer while the work runs: how long the
 * event loop's turns are, whatever else the machine does meanwhile.
 */
export async function busyTurns(work: () => Promise<void>): Promise<number[]> {
	const taken = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
	const turns: number[] = [];
	let last = taken();
	const timer = setInterval(() => {
		const now = taken();
		turns.push(now - last);
		last = now;
	}, 1);
	try {
		await work();
	} finally {
		clearInterval(timer);
	}
	return turns;
}
