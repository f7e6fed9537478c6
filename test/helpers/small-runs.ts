// Training runs of the small net in processes of their own, to be killed, interrupted and compared.
import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {TrainReport} from '../../lib/index.ts';
import {runFiles} from '../../lib/run/run-files.ts';
import {blocks, painted, randomNumbers, writeFiles} from './pictures.ts';

const program = fileURLToPath(new URL('small-run.ts', import.meta.url));

/** What a run prints right before it touches its folder. */
export const beginning = 'begins';

export interface SmallRunOptions {
	epochs: number;
	batchSize: number;
	saveEverySteps?: number;
	resume?: boolean;
}

export interface SmallRun {
	child: ChildProcess;
	/** Resolves when the run is about to touch its folder. */
	begun: Promise<void>;
	/** Resolves when the process is gone and its output is read. */
	ended: Promise<{code: number | null; signal: NodeJS.Signals | null; stderr: string}>;
}

/** Pictures of three classes in many sizes, a colour each but all of them patterned; one cannot be read. */
export async function writeSmallPictures(folder: string, each = 24): Promise<void> {
	const random = randomNumbers(5);
	const size = (): number => 32 + Math.floor(random() * 30);
	for (const [index, name] of ['blue', 'green', 'red'].entries()) {
		for (let picture = 0; picture < each; ++picture) {
			const pattern = blocks(3 + Math.floor(random() * 9), index * 1000 + picture);
			const image = painted(size(), size(), (x, y) => {
				const [r, g, b] = pattern(x, y);
				return [r * (index === 2 ? 1 : 0.6), g * (index === 1 ? 1 : 0.6), b * (index === 0 ? 1 : 0.6)];
			});
			await writeFiles(folder, {[`${name}/${picture}.png`]: await image.png().toBuffer()});
		}
	}
	await writeFiles(folder, {'green/not-a-picture.png': 'This is no picture.'});
}

export function startSmallRun(pictures: string, run: string, options: SmallRunOptions): SmallRun {
	const args = ['--import=tsx', program, pictures, run, JSON.stringify(options)];
	const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'pipe']});
	let stderr = '';
	child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
	const begun = new Promise<void>((resolve) => {
		child.stdout.on('data', (chunk: Buffer) => {
			if (chunk.toString().includes(beginning)) resolve();
		});
		child.on('close', () => resolve());
	});
	const ended = once(child, 'close').then((result) => {
		const [code, signal] = result as [number | null, NodeJS.Signals | null];
		return {code, signal, stderr};
	});
	return {child, begun, ended};
}

export async function reportsOf(run: string): Promise<TrainReport[]> {
	const text = await readFile(join(run, runFiles.metrics), 'utf8').catch(() => '');
	const lines = text.split('\n').slice(0, -1);
	return lines.map((line) => JSON.parse(line) as TrainReport);
}

/** In what two ended runs differ, but for speed and time. Nothing, where they should be the same. */
export async function differences(first: string, second: string): Promise<string[]> {
	const [names, others] = [await readdir(first), await readdir(second)];
	const found = names.sort().join() === others.sort().join() ? [] : [`${names.join()} and ${others.join()}`];
	const compared = [runFiles.last, runFiles.best, runFiles.filters, runFiles.kernels, runFiles.predictions];
	if (!names.includes(runFiles.last)) found.push('there is no checkpoint');
	// Without held-out pictures there are no predictions; that one run has a file and the other not has been told.
	for (const name of compared.filter((one) => names.includes(one) && others.includes(one))) {
		const [one, two] = await Promise.all([first, second].map((run) => readFile(join(run, name))));
		if (!one!.equals(two!)) found.push(`${name}: ${one!.length} and ${two!.length} bytes${headers(one!, two!)}`);
	}
	const [reports, same] = (await Promise.all([reportsOf(first), reportsOf(second)])).map((all) =>
		all.map((report) => JSON.stringify({...report, imagesPerSecond: undefined, elapsedSeconds: undefined})),
	) as [string[], string[]];
	if (reports.length !== same.length) found.push(`${reports.length} and ${same.length} reports`);
	const at = reports.findIndex((report, index) => report !== same[index]);
	if (at >= 0) found.push(`report ${at + 1}: ${reports[at]} and ${same[at]}`);
	return found;
}

/** The headers, if these differ; otherwise it is the tensors. */
function headers(one: Buffer, two: Buffer): string {
	const header = (file: Buffer): string => file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE()));
	if (!header(one).startsWith('{"__metadata__"') || header(one) === header(two)) return '';
	return `\n${header(one)}\n${header(two)}`;
}
