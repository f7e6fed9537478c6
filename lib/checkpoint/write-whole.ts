// A net's file is there as a whole or not at all, whatever its format.
import {open} from 'node:fs/promises';
import {dirname} from 'node:path';
import {AlexNetError} from '../base/errors.ts';
import {makeFolder, reasonOf, removeEmptyFolders, replaceFile, UnsyncedError} from '../base/files.ts';

/** An array's bytes, not copied. */
export function bytesOf(values: NodeJS.TypedArray): Uint8Array {
	return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Writes a file through a temporary one beside it, synced, then renamed.
 *
 * @param produce hands the file's bytes to `write`, part after part
 * @throws ALEXNET_CHECKPOINT where it cannot be written, and errors of ours as they are.
 */
export async function writeWhole(
	path: string,
	produce: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
	try {
		await replaceFile(path, async (temporary) => {
			const file = await open(temporary, 'w');
			try {
				await produce(async (bytes) => {
					for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
				});
			} finally {
				await file.close();
			}
		});
	} catch (error) {
		if (error instanceof AlexNetError) throw error;
		throw couldNotWrite(path, error);
	}
}

/**
 * Makes the folder of a file that `work` writes. Where `work` fails, no folder stays that was made for it and is empty.
 *
 * @returns what `work` does
 * @throws ALEXNET_CHECKPOINT where the folder cannot be made; what `work` throws.
 */
export async function inFolderOf<T>(path: string, work: () => Promise<T>): Promise<T> {
	const folder = dirname(path);
	const uppermost = await makeFolder(folder).catch((error: unknown) => {
		throw couldNotWrite(path, error);
	});
	try {
		return await work();
	} catch (error) {
		if (uppermost !== undefined) await removeEmptyFolders(folder, uppermost);
		throw error;
	}
}

/** What `replaceFile` throws, in words. */
export function couldNotWrite(path: string, error: unknown): AlexNetError {
	const message =
		error instanceof UnsyncedError
			? `${error.message}.`
			: `Could not write ${path}: ${reasonOf(error)}. What stood there before is untouched.`;
	return new AlexNetError('ALEXNET_CHECKPOINT', message, {cause: error});
}
