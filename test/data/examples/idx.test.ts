// Files in the format of MNIST, whole and broken.
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {readIdx} from '../../../lib/data/examples/idx.ts';
import {idxFile} from '../../helpers/idx.ts';
import {randomNumbers, temporaryFolder} from '../../helpers/pictures.ts';

test('what was written is read, and what is no such file is refused with its name', async (t) => {
	const folder = await temporaryFolder(t);
	const random = randomNumbers(Date.now());
	const shape = [1 + Math.floor(random() * 9), 3, 1 + Math.floor(random() * 5)];
	const count = shape.reduce((product, size) => product * size);
	const values = Uint8Array.from({length: count}, () => random() * 256);
	const path = join(folder, 'values.gz');
	const write = async (bytes: Uint8Array): Promise<void> => writeFile(path, bytes);
	await write(idxFile(shape, values));
	const read = await readIdx(path, [undefined, 3, undefined], count);
	t.deepEqual([...read.shape], shape);
	t.deepEqual(Buffer.from(read.values), Buffer.from(values));

	const refused = async (
		reason: RegExp,
		expected: (number | undefined)[] = [undefined, 3, undefined],
		most = count,
	) => {
		const error = await t.throwsAsync(readIdx(path, expected, most), {code: 'ALEXNET_FOLDER', message: reason});
		t.true(error.message.includes(path));
	};
	await refused(/it is \[\d+, 3, \d+\], not \[N, 4, N\]/, [undefined, 4, undefined]);
	await refused(/no IDX file of bytes in 2 dimensions/, [undefined, 3], count + 4);
	await refused(/larger than|Cannot create a Buffer/i, undefined, count - 1);
	for (const [bytes, reason] of [
		[idxFile(shape, values.subarray(1)), /has \d+ values, and its header says \d+/],
		[idxFile(shape.with(0, 2 ** 32 - 1), values), /its header says/],
		[gzipSync(Buffer.alloc(5)), /no IDX file/],
		[gzipSync(Buffer.concat([Buffer.from([0, 0, 13, 3]), Buffer.alloc(12)])), /no IDX file/],
		[Buffer.from('This is no archive.'), /incorrect header check/],
		[idxFile(shape, values).subarray(0, 20), /unexpected end of file/],
		[Buffer.alloc(count * 2 + 10_000), /too many/],
	] as const) {
		await write(bytes);
		await refused(reason);
	}
	await writeFile(path, gzipSync(Buffer.alloc(2 ** 24)));
	await refused(/.*/);
	await t.throwsAsync(readIdx(join(folder, 'none.gz'), [1], 1), {code: 'ALEXNET_FOLDER', message: /none\.gz/});
});
