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
