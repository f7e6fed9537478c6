// Folders that are there whole or not at all.
import {mkdtemp, readdir, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {makeFolder} from '../../base/files.ts';

/**
 * Makes a folder, where it is not whole already.
 *
 * @param isWhole tells it of the folder
 * @param make fills an empty folder and names what of it is to become the folder; the rest goes
 */
export async function makeWhole(
	folder: string,
	isWhole: () => Promise<boolean>,
	make: (partial: string) => Promise<string>,
): Promise<void> {
	if (await isWhole()) return;
	await makeFolder(dirname(folder));
	await removeRemains(folder);
	const partial = await mkdtemp(`${folder}-partial-${process.pid}-`);
	try {
		const made = await make(partial);
		// Another process may have been faster, and somebody may be reading it.
		if (await isWhole()) return;
		await rm(folder, {recursive: true, force: true});
		await rename(made, folder);
	} finally {
		await rm(partial, {recursive: true, force: true});
	}
}

/** Removes what processes left behind that were killed before they could. */
async function removeRemains(folder: string): Promise<void> {
	const beginning = `${basename(folder)}-partial-`;
	for (const name of await readdir(dirname(folder))) {
		const pid = name.startsWith(beginning) ? Number.parseInt(name.slice(beginning.length), 10) : NaN;
		if (Number.isNaN(pid) || isRunning(pid)) continue;
		// A program that it had started may still be writing there; the next time removes the rest.
		await rm(join(dirname(folder), name), {recursive: true, force: true}).catch(() => undefined);
	}
}

function isRunning(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}
