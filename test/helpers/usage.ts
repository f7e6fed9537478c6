import {readdirSync} from 'node:fs';
import {memoryUsage} from 'node:process';
import {setTimeout} from 'node:timers/promises';

export interface Usage {
	readonly threads: number;
	/** Resident memory. */
	readonly bytes: number;
}

const countThreads = (): number => readdirSync('/proc/self/task').length;

/**
 * What this process holds when all garbage is collected: a device's thread ends with the last object that refers to it, and
 * the collector's finalizers run when the event loop turns.
 */
export async function usage(): Promise<Usage> {
	let [fewest, unchanged] = [countThreads(), 0];
	while (unchanged < 20) {
		globalThis.gc?.();
		await setTimeout(5);
		unchanged = countThreads() < fewest ? 0 : unchanged + 1;
		fewest = Math.min(fewest, countThreads());
	}
	return {threads: countThreads(), bytes: memoryUsage.rss()};
}
