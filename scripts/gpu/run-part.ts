// Runs one part of scripts/gpu-check: a process in a group of its own, which ends when its time is over.
import {spawn} from 'node:child_process';
import {createWriteStream, readFileSync, type WriteStream} from 'node:fs';
import {join} from 'node:path';
import {finished} from 'node:stream/promises';
import {root} from '../../test/helpers/sources.ts';
import type {Part} from './parts.ts';

export type Outcome = 'passed' | 'failed' | 'timed out' | 'left out';

export interface PartResult {
	readonly name: string;
	readonly outcome: Outcome;
	readonly seconds: number;
	/** What it measured, or the last line that it printed, or why it was left out. */
	readonly note: string;
}

/** Bytes of a part's output that are kept: a kernel that goes wrong may be reported a million times. */
const mostOutput = 4 * 2 ** 20;
/** Between the request to end and the end. */
const graceMilliseconds = 3000;

/** Process groups of the parts that run. */
const running = new Set<number>();

/** Ends what runs, at once: groups of their own hear nothing of Ctrl-C. */
export function endAllParts(): void {
	for (const group of running) signalGroup(group, 'SIGKILL');
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
	try {
		process.kill(-group, signal);
	} catch {
		// It has ended meanwhile.
	}
}

/** @param seconds most that it may take, from what is left for all */
export async function runPart(part: Part, folder: string, seconds: number): Promise<PartResult> {
	const start = performance.now();
	const log = new KeptOutput(join(folder, `${part.name}.log`));
	const json = part.tell ? new KeptOutput(join(folder, `${part.name}.json`)) : log;
	const [program, ...parameters] = part.command;
	const child = spawn(program, parameters, {
		cwd: root,
		detached: true,
		env: {...process.env, ...part.environment},
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	child.stdout.on('data', (data: Buffer) => json.write(data));
	child.stderr.on('data', (data: Buffer) => log.write(data));
	const state = {isLate: false};
	const {pid} = child;
	if (pid !== undefined) running.add(pid);
	const end = (signal: NodeJS.Signals): void => {
		if (pid !== undefined) signalGroup(pid, signal);
	};
	let killer: NodeJS.Timeout | undefined;
	const limit = setTimeout(() => {
		state.isLate = true;
		end('SIGTERM');
		killer = setTimeout(() => end('SIGKILL'), graceMilliseconds);
	}, seconds * 1000);
	const failure = await new Promise<string | undefined>((resolve) => {
		child.on('error', ({message}) => resolve(message));
		child.on('close', (code, signal) => {
			resolve(code === 0 ? undefined : signal === null ? `exit code ${code ?? ''}` : `ended by ${signal}`);
		});
	});
	clearTimeout(limit);
	clearTimeout(killer);
	end('SIGKILL'); // what it has started and left behind
	if (pid !== undefined) running.delete(pid);
	await Promise.all([log.close(), json.close()]);
	const taken = (performance.now() - start) / 1000;
	const {name} = part;
	const last = log.lastLine;
	if (state.isLate) return {name, outcome: 'timed out', seconds: taken, note: `after ${seconds.toFixed(0)} s: ${last}`};
	if (failure !== undefined) return {name, outcome: 'failed', seconds: taken, note: `${failure}: ${last}`};
	const told = part.tell?.(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')));
	return {name, outcome: 'passed', seconds: taken, note: told ?? last};
}

/** A file that takes so much and no more, and remembers the last line. */
class KeptOutput {
	readonly #file: WriteStream;
	#room = mostOutput;
	#end = '';

	constructor(path: string) {
		this.#file = createWriteStream(path);
	}

	write(data: Buffer): void {
		this.#end = (this.#end + data.toString()).slice(-4096);
		if (this.#room <= 0) return;
		this.#file.write(data.subarray(0, this.#room));
		this.#room -= data.length;
		if (this.#room <= 0) this.#file.write('\n[cut here]\n');
	}

	get lastLine(): string {
		const lines = this.#end.split(/[\r\n]+/).map((line) => line.trim());
		return lines.findLast((line) => line !== '') ?? '';
	}

	async close(): Promise<void> {
		this.#file.end();
		await finished(this.#file);
	}
}
