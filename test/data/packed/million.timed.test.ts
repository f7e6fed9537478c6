// A set of ImageNet's size opens within seconds and little memory.
import {execFile} from 'node:child_process';
import {truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {indexName, shardName, type PackedEntry} from '../../../lib/data/packed/format.ts';
import {writeIndex} from '../../../lib/data/packed/index-file.ts';
import {temporaryFolder} from '../../helpers/pictures.ts';

const program = fileURLToPath(new URL('../../helpers/open-child.ts', import.meta.url));
const [classes, each, heldOut, perShard] = [1000, 1000, 50, 4096];
const bytes = 256 * 256 * 3;

/** Shards without contents, as a file system keeps them in no space. */
async function writeMillion(folder: string): Promise<void> {
	const entries: PackedEntry[] = [];
	for (const [part, count] of [each, heldOut].entries()) {
		for (let label = 0; label < classes; ++label) {
			for (let number = 0; number < count; ++number) {
				const [shard, row] = [Math.floor(entries.length / perShard), entries.length % perShard];
				const name = `n${10_000_000 + label}_${100_000 + number}.JPEG`;
				const lies = {shard, offset: row * bytes, length: bytes, crc: 0};
				entries.push({part, label, name, bytes: 110_000 + number, ...lies, reason: ''});
			}
		}
	}
	const shards: number[] = [];
	for (let left = entries.length; left > 0; left -= perShard) {
		const path = join(folder, shardName(shards.length));
		shards.push(Math.min(left, perShard) * bytes);
		await writeFile(path, '');
		await truncate(path, shards.at(-1));
	}
	const labels = Array.from({length: classes}, (_, label) => `n${10_000_000 + label} a class`);
	const parts = [each, heldOut].map((count) => labels.map(() => count));
	const type = 'alexnet-pictures-1';
	const header = {type, as: 'raw', imageSize: 256, labels, parts, shards, leftOut: [], remarks: []} as const;
	await writeIndex(join(folder, indexName), header, entries);
}

test('a million pictures open within seconds, in a process of less than 500 MB', async (t) => {
	const folder = await temporaryFolder(t);
	await writeMillion(folder);
	const {stdout} = await promisify(execFile)(process.execPath, ['--import=tsx', program, folder]);
	t.log(stdout);
	const {pictures, seconds, megabytes} = JSON.parse(stdout) as Record<string, number>;
	t.is(pictures, 1_050_000);
	t.true(Number(seconds) < 10);
	t.true(Number(megabytes) < 500);
});
