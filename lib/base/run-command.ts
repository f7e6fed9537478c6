// Other programs, as far as this one needs them.
import {spawn} from 'node:child_process';
import {codeOf} from './files.ts';

/** How much of what a program says is kept, in characters: the end. */
const mostSaid = 2 ** 16;

/** Thrown where a program is not there or ends with another code than 0. */
export class CommandError extends Error {
	override readonly name = 'CommandError';
	readonly isMissing: boolean;
	/** What it wrote to stderr. */
	readonly said: string;

	constructor(command: string, {isMissing, said}: {isMissing: boolean; said: string}) {
		super(isMissing ? `${command} was not found` : `${command} failed`);
		this.isMissing = isMissing;
		this.said = said;
	}
}

/**
 * Runs a program to its end, and tells what it has printed. Where the signal aborts, the program is ended and waited for,
 * so that it writes no more.
 *
 * @throws {@link CommandError}, or the signal's reason.
 */
export async function runCommand(
	command: string,
	args: readonly string[],
	{cwd, signal}: {cwd?: string; signal?: AbortSignal | undefined} = {},
): Promise<string> {
	signal?.throwIfAborted();
	const child = spawn(command, args, {cwd, stdio: ['ignore', 'pipe', 'pipe']});
	const stop = (): void => void child.kill();
	signal?.addEventListener('abort', stop, {once: true});
	let [printed, said] = ['', ''];
	child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-mostSaid)));
	try {
		const code = await new Promise<number | null>((resolve, reject) => {
			child.on('error', reject).on('close', resolve);
		}).catch((error: unknown) => {
			if (codeOf(error) === 'ENOENT') throw new CommandError(command, {isMissing: true, said});
			throw error;
		});
		signal?.throwIfAborted();
		if (code !== 0) throw new CommandError(command, {isMissing: false, said});
		return printed;
	} finally {
		signal?.removeEventListener('abort', stop);
	}
}
