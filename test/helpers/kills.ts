// Kills a training run again and again, resumes it each time, and compares its end with a run that was left alone.
import {existsSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import type {ExecutionContext} from 'ava';
import {runFiles} from '../../lib/run/run-files.ts';
import {Random} from '../../lib/selftest/random.ts';
import {differences, reportsOf, startSmallRun, writeSmallPictures, type SmallRunOptions} from './small-runs.ts';

/** A checkpoint after every step: most moments fall into the writing of one. */
const options: SmallRunOptions = {epochs: 6, batchSize: 8, saveEverySteps: 1};

/** Kills at `kills` moments drawn by the seed; a run that comes to its end between is compared, and another begun. */
export async function killAndResume(t: ExecutionContext, folder: string, kills: number, seed: string): Promise<void> {
	const random = new Random(seed);
	const pictures = join(folder, 'pictures');
	const alone = join(folder, 'alone');
	await writeSmallPictures(pictures);
	const milliseconds = await runAlone(t, pictures, alone);
	const counts = {kills: 0, writes: 0, runs: 0};
	while (counts.kills < kills) {
		const run = join(folder, `run ${++counts.runs}`);
		let ended = false;
		while (!ended) {
			const resume = existsSync(join(run, runFiles.config));
			const last = counts.kills === kills;
			// A third of the whole: several lives to a run.
			const delay = last ? undefined : (random.integer(1_000_000) / 3_000_000) * milliseconds;
			ended = !(await live(t, pictures, run, {resume, delay, counts}));
		}
		t.deepEqual(await differences(alone, run), [], `run ${counts.runs} ends as the one that was left alone`);
	}
	t.log(`${counts.kills} kills, ${counts.writes} of them while a file was being written, in ${counts.runs} runs`);
}

async function runAlone(t: ExecutionContext, pictures: string, run: string): Promise<number> {
	const {begun, ended} = startSmallRun(pictures, run, options);
	await begun;
	const start = performance.now();
	const {code, stderr} = await ended;
	const milliseconds = performance.now() - start;
	t.is(code, 0, stderr);
	const reports = await reportsOf(run);
	const rates = new Set(reports.map(({learningRate}) => learningRate));
	t.true(rates.size > 1, 'the schedule has divided the rate, so that its state counts');
	t.log(`left alone: ${reports.length} reports in ${milliseconds.toFixed(0)} ms`);
	return milliseconds;
}

/** One process: it is killed, or comes to its end if `delay` is undefined or too long. Tells whether it was killed. */
async function live(
	t: ExecutionContext,
	pictures: string,
	run: string,
	life: {resume: boolean; delay: number | undefined; counts: {kills: number; writes: number}},
): Promise<boolean> {
	const {resume, delay, counts} = life;
	const {child, begun, ended} = startSmallRun(pictures, run, {...options, resume});
	await begun;
	if (delay !== undefined) {
		await setTimeout(delay);
		child.kill('SIGKILL');
	}
	const {code, signal, stderr} = await ended;
	if (signal !== 'SIGKILL') {
		t.is(code, 0, stderr);
		return false;
	}
	const writing = existsSync(run) ? (await readdir(run)).filter((name) => name.endsWith('.tmp')) : [];
	++counts.kills;
	if (writing.length > 0) ++counts.writes;
	const step = (await reportsOf(run)).findLast(({type}) => type === 'step')?.step ?? 0;
	const where = writing.length > 0 ? `, while writing ${writing.join()}` : '';
	t.log(`kill ${counts.kills}: ${delay?.toFixed(0)} ms from its start, after step ${step}${where}`);
	return true;
}
