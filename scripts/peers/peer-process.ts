// A peer in a process of its own, asked over its standard input and output.
import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {createInterface, type Interface} from 'node:readline';
import type {Job, Line, Question} from './work.ts';

/** Why a peer takes no part. */
export class MissingPeer extends Error {}

export class PeerProcess {
	readonly version: string;
	readonly settings: string;
	readonly #child: ChildProcess;
	readonly #lines: AsyncIterator<string>;

	private constructor(child: ChildProcess, lines: AsyncIterator<string>, ready: {version: string; settings: string}) {
		this.#child = child;
		this.#lines = lines;
		this.version = ready.version;
		this.settings = ready.settings;
	}

	/** @throws {@link MissingPeer} where it is not installed here. */
	static async start([program = '', ...parameters]: readonly string[], job: Job): Promise<PeerProcess> {
		const child = spawn(program, [...parameters, JSON.stringify(job)], {stdio: ['pipe', 'pipe', 'inherit']});
		const failed = once(child, 'error').then(([error]) => {
			throw new MissingPeer(`${program} cannot be started: ${(error as Error).message}`);
		});
		const interface_: Interface = createInterface({input: child.stdout});
		const lines = interface_[Symbol.asyncIterator]();
		const first = await Promise.race([next(lines), failed]);
		if (first.kind === 'missing') throw new MissingPeer(first.reason);
		if (first.kind !== 'ready') throw new Error(`A peer began with '${first.kind}'.`);
		return new PeerProcess(child, lines, first);
	}

	async outputs(): Promise<readonly number[]> {
		const answer = await this.#ask({ask: 'outputs'});
		if (answer.kind !== 'outputs') throw new Error(`Asked for outputs, a peer said '${answer.kind}'.`);
		return answer.values;
	}

	async times(calls: number): Promise<readonly number[]> {
		const answer = await this.#ask({ask: 'times', calls});
		if (answer.kind !== 'times') throw new Error(`Asked for times, a peer said '${answer.kind}'.`);
		return answer.milliseconds;
	}

	async end(): Promise<void> {
		this.#child.stdin?.end();
		if (this.#child.exitCode === null) await once(this.#child, 'exit');
	}

	async #ask(question: Question): Promise<Line> {
		this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
		return next(this.#lines);
	}
}

async function next(lines: AsyncIterator<string>): Promise<Line> {
	const line = await lines.next();
	if (line.done === true) throw new Error('A peer ended before it answered; what it wrote stands above.');
	return JSON.parse(line.value) as Line;
}
