// How much of its speed a net keeps where others need the processor too: `alexnet bench shared-machine`. A picture by
// itself, and a training step, are timed alone and beside processes that keep half of the cores busy (one process on two
// cores), alone again, in one run; the result is a ratio, and does not depend on how fast the machine is. A fair share of
// the processor would be three quarters; threads that wait for each other get less, since the slowest decides.
import {spawn} from 'node:child_process';
import {deviceInfo} from '../lib/device/device.ts';
import {samplesOf, type BenchmarkOptions} from './run.ts';
import {quartiles} from './timing.ts';
import type {ModelTrial} from './trials.ts';

export const sharedMachine = 'shared-machine';

export interface SharedRow {
	trial: ModelTrial;
	batchSize: number;
	/** Busy processes. */
	neighbours: number;
	/** Medians. */
	aloneMs: number;
	besideMs: number;
	/** aloneMs / besideMs */
	speedKept: number;
}

export async function runShared(options: BenchmarkOptions): Promise<SharedRow[]> {
	const rows: SharedRow[] = [];
	const neighbours = Math.ceil((deviceInfo(options.devices[0] ?? 'cpu')?.threads ?? 1) / 2);
	for (const [trial, batchSize, repetitions] of [
		['inference', 1, options.repetitions ?? 40],
		['train-step', options.batchSize, options.repetitions ?? 3],
	] as const) {
		options.onProgress?.(trial, rows.length);
		const measure = async (busy: number): Promise<number[]> =>
			beside(busy, async () => (await samplesOf(trial, {...options, batchSize, repetitions})).milliseconds);
		const before = await measure(0);
		const {median: besideMs} = quartiles(await measure(neighbours));
		const {median: aloneMs} = quartiles([...before, ...(await measure(0))]);
		rows.push({trial, batchSize, neighbours, aloneMs, besideMs, speedKept: aloneMs / besideMs});
	}
	return rows;
}

/** Does something while so many processes compute, each for as long as this process is there. */
async function beside<T>(count: number, work: () => Promise<T>): Promise<T> {
	const program = `while (process.ppid === ${process.pid}) for (let turn = 0; turn < 1e7; ++turn);`;
	const busy = Array.from({length: count}, () => spawn(process.execPath, ['-e', program], {stdio: 'ignore'}));
	try {
		return await work();
	} finally {
		for (const child of busy) child.kill('SIGKILL');
	}
}

/** Cells of a table for people: a header, then a line for each row. */
export function sharedTable(rows: readonly SharedRow[]): {header: string[]; cells: string[][]} {
	return {
		header: ['trial', 'batch', 'busy processes', 'alone ms', 'beside ms', 'speed kept'],
		cells: rows.map(({trial, batchSize, neighbours, aloneMs, besideMs, speedKept}) => [
			trial,
			...[batchSize, neighbours].map(String),
			...[aloneMs, besideMs].map((milliseconds) => milliseconds.toFixed(1)),
			`${(100 * speedKept).toFixed(0)} %`,
		]),
	};
}
