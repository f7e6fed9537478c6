import {readInput} from '../picture-input.ts';

/** @throws ALEXNET_PICTURE or ALEXNET_FOLDER, its cause being what the system says. */
export async function readFileOf(path: string): Promise<Uint8Array> {
	const data = await readInput(path);
	return data.raw ? new Uint8Array(0) : data.bytes;
}
