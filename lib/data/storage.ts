// Whether a file that could not be had says something about the file, or about where it is kept.
import {opendir, readlink} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {AlexNetError} from '../base/errors.ts';
import {codeOf, reasonOf} from '../base/files.ts';

/** What the system says of a file itself: it will say the same tomorrow. */
const ofTheFile: ReadonlySet<unknown> = new Set(['EISDIR', 'ELOOP', 'ENAMETOOLONG']);

/** The first pause before another try, in seconds; each is twice as long as the one before. */
const firstPause = 0.1;

/**
 * Whether reading a file failed for a reason that lies elsewhere: a network drive that is away, a disk that reports
 * errors, too many open files, rights that have changed.
 */
export async function isStorageFailure(path: string, error: unknown): Promise<boolean> {
	if (!(error instanceof Error && 'syscall' in error) || ofTheFile.has(codeOf(error))) return false;
	return codeOf(error) !== 'ENOENT' || !(await isGone(path));
}

/**
 * Whether a file, or what a link leads to, is gone on its own: its folder is there and holds something. (What a drive
 * was mounted on is an empty folder without it.)
 */
async function isGone(path: string): Promise<boolean> {
	try {
		return await isGone(resolve(dirname(path), await readlink(path)));
	} catch (error) {
		return codeOf(error) === 'ENOENT' && (await holdsSomething(dirname(path)));
	}
}

async function holdsSomething(folder: string): Promise<boolean> {
	try {
		const entries = await opendir(folder);
		const first = await entries.read();
		await entries.close();
		return first !== null;
	} catch {
		return false;
	}
}

/** A picture could not be had for a reason that is none of its own. */
export class StorageError extends AlexNetError {
	constructor(path: string, seconds: number, error: unknown) {
		const tried = seconds > 0 ? `, tried again for ${seconds} s` : '';
		super(
			'ALEXNET_FOLDER',
			`Picture '${path}' cannot be had (${reasonOf(systemErrorOf(error))}${tried}): a failure of where it is kept, not ` +
				'of the picture. Make the folder readable again, then go on, with a run from the last checkpoint; if it is this ' +
				'file alone, put it back from a copy.',
			{cause: error},
		);
	}
}

/**
 * What `attempt` gives, asked again with growing pauses, for about `seconds` in all, while it fails for a reason that
 * lies with the storage.
 *
 * @throws {@link StorageError} when time is up; what `attempt` throws for other reasons; AbortError where the signal
 * aborts during a pause.
 */
export async function withPatience<T>(
	path: string,
	attempt: () => Promise<T>,
	{seconds, signal}: {seconds: number; signal: AbortSignal},
): Promise<T> {
	for (let [waited, wait] = [0, firstPause]; ; waited += wait, wait *= 2) {
		try {
			return await attempt();
		} catch (error) {
			if (!(await isStorageFailure(path, systemErrorOf(error)))) throw error;
			if (waited >= seconds) throw new StorageError(path, seconds, error);
		}
		await pause(Math.min(wait, seconds - waited) * 1000, undefined, {signal});
	}
}

/** The system's own error, where it was wrapped into one of ours. */
function systemErrorOf(error: unknown): unknown {
	return error instanceof AlexNetError ? error.cause : error;
}
