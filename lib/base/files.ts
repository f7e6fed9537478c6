// Files and folders that are there as a whole or not at all.
import {randomUUID} from 'node:crypto';
import {rmSync} from 'node:fs';
import {mkdir, open, readdir, rename, rm, rmdir, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {messageOf} from './errors.ts';

/** What is added to a file's name while it is written. */
const temporarySuffix = /\.[0-9a-f]{8}\.tmp$/;

/** Files that are being written: if the process ends meanwhile, they are removed. One listener serves all of them. */
const unfinished = new Set<string>();

function removeUnfinished(): void {
	for (const path of unfinished) {
		try {
			rmSync(path, {force: true});
		} catch {
			// Its folder is gone, or refuses: the others still go.
		}
	}
}

/** A file took the place of another, for the time being: its folder could not be synced. */
export class UnsyncedError extends Error {
	override readonly name = 'UnsyncedError';

	constructor(path: string, cause: unknown) {
		const message = `${path} is written, but a power cut may undo that, as its folder cannot be synced`;
		super(`${message}: ${reasonOf(cause)}`, {cause});
	}
}

/**
 * Puts a file in the place of another at once: whatever happens, a power cut too, there is either the old one or the new
 * one. Syncing runs off the main thread.
 *
 * @param write makes the file under the path that it is given
 * @throws what the system says, and the old file is untouched; but UnsyncedError where the new one is there.
 */
export async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
	const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
	if (unfinished.add(temporary).size === 1) process.on('exit', removeUnfinished);
	try {
		await write(temporary);
		await syncPath(temporary, 'r+');
		await rename(temporary, path);
	} finally {
		// It is still there after a failure, and where it was a second name of the file that it should replace.
		await rm(temporary, {force: true}).catch(() => undefined);
		unfinished.delete(temporary);
		if (unfinished.size === 0) process.off('exit', removeUnfinished);
	}
	await syncPath(dirname(path), 'r').catch((error: unknown) => {
		if (!isRefusal(error)) throw new UnsyncedError(path, error);
	});
}

/** A folder is opened with 'r', a file with 'r+'. */
async function syncPath(path: string, flags: 'r' | 'r+'): Promise<void> {
	const handle = await open(path, flags);
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

/** Folders of some file systems (FUSE, SMB, NFS) cannot be synced, nor those that may not be read; the file has been. */
function isRefusal(error: unknown): boolean {
	return ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EACCES'].includes(String(codeOf(error)));
}

/** Removes what a killed process was about to put in the place of one of these files. */
export async function removeTemporaries(folder: string, names: readonly string[]): Promise<void> {
	for (const name of await readdir(folder)) {
		if (names.includes(name.replace(temporarySuffix, '')) && temporarySuffix.test(name)) {
			await rm(join(folder, name), {force: true});
		}
	}
}

/**
 * Makes a folder and those above it. (Node's own recursive mkdir never returns where /proc refuses one.)
 *
 * @returns the uppermost that was made, if any
 */
export async function makeFolder(path: string): Promise<string | undefined> {
	try {
		await mkdir(path);
		return path;
	} catch (error) {
		const code = codeOf(error);
		if (code === 'EEXIST' && (await stat(path)).isDirectory()) return undefined;
		if (code !== 'ENOENT' || dirname(path) === path) throw error;
		const first = await makeFolder(dirname(path));
		await mkdir(path);
		return first ?? path;
	}
}

/** Removes a folder and those above it, up to `uppermost`, as far as they are empty. */
export async function removeEmptyFolders(path: string, uppermost: string): Promise<void> {
	for (let folder = path; ; folder = dirname(folder)) {
		const isGone = await rmdir(folder).then(
			() => true,
			() => false,
		);
		if (!isGone || folder === uppermost) return;
	}
}

/** An error's code, as the system's errors have it: 'ENOENT'. */
export function codeOf(error: unknown): unknown {
	return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** What an error says, without a full stop, and what to do about it where that is plain. */
export function reasonOf(error: unknown): string {
	const message = messageOf(error).replace(/\.$/, '');
	return codeOf(error) === 'ENOSPC' ? `${message} (free some space)` : message;
}
