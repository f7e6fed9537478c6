// IDX, the format of MNIST's files: 0, 0, the type of the values (8: bytes), the number of dimensions, each of them as a
// big-endian integer of 4 bytes, then the values in C order.
import {readFile, stat} from 'node:fs/promises';
import {promisify} from 'node:util';
import {gunzip} from 'node:zlib';
import {AlexNetError, messageOf} from '../../base/errors.ts';

export interface IdxValues {
	readonly shape: readonly number[];
	/** In C order. */
	readonly values: Uint8Array;
}

/**
 * Reads a gzipped IDX file of bytes.
 *
 * @param expected sizes, undefined where any will do
 * @param most values: a file that says or has more is refused before memory is taken for them
 * @throws ALEXNET_FOLDER where it is missing, damaged, too large, or of another shape.
 */
export async function readIdx(
	path: string,
	expected: readonly (number | undefined)[],
	most: number,
): Promise<IdxValues> {
	const header = 4 + 4 * expected.length;
	let data: Buffer;
	try {
		// Incompressible bytes grow by less than this.
		const {size} = await stat(path);
		if (size > header + most + most / 1000 + 1024) throw new Error(`it has ${size} bytes, too many`);
		data = await promisify(gunzip)(await readFile(path), {maxOutputLength: header + most});
	} catch (error) {
		throw refused(path, messageOf(error), error);
	}
	if (data.length < header || data.readUInt32BE(0) !== 0x800 + expected.length) {
		throw refused(path, `it is no IDX file of bytes in ${expected.length} dimensions`);
	}
	const shape = expected.map((_, dimension) => data.readUInt32BE(4 + 4 * dimension));
	if (expected.some((size, dimension) => size !== undefined && size !== shape[dimension])) {
		throw refused(path, `it is [${shape.join(', ')}], not [${expected.map((size) => size ?? 'N').join(', ')}]`);
	}
	const count = shape.reduce((product, size) => product * size, 1);
	if (data.length !== header + count) {
		throw refused(path, `it has ${data.length - header} values, and its header says ${count}`);
	}
	return {shape, values: data.subarray(header)};
}

function refused(path: string, reason: string, cause?: unknown): AlexNetError {
	const message = `'${path}' cannot be used: ${reason}. Replace it with the original file.`;
	return new AlexNetError('ALEXNET_FOLDER', message, {cause});
}
