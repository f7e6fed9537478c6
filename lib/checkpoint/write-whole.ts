// A net's file is there as a whole or not at all, whatever its format.
import {open} from 'node:fs/promises';
import {AlexNetError} from '../base/errors.ts';
import {reasonOf, replaceFile, UnsyncedError} from '../base/files.ts';

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

/** What `replaceFile` throws, in words. */
export function couldNotWrite(path: string, error: unknown): AlexNetError {
	const message =
		error instanceof UnsyncedError
			? `${error.message}.`
			: `Could not write ${path}: ${reasonOf(error)}. What stood there before is untouched.`;
	return new AlexNetError('ALEXNET_CHECKPOINT', message, {cause: error});
}
