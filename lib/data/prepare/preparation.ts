// The folder of a preparation: which shards are whole, and that it is of one source alone.
import {createHash} from 'node:crypto';
import {open, readdir, readFile, rm, stat, statfs, writeFile, type FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
import {checked, fields, integer, listOf, must, oneOf, text, type Check} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';
import {codeOf, makeFolder, reasonOf, removeTemporaries, replaceFile} from '../../base/files.ts';
import {parseShallow} from '../../base/json.ts';
import {native} from '../../device/native.ts';
import {
	indexName,
	preparationName,
	shardListName,
	shardName,
	type PackedAs,
	type PackedEntry,
} from '../packed/format.ts';

/** What a preparation is of, and how its pictures are kept. */
export interface PreparationKind {
	readonly type: 'alexnet-preparation-1';
	readonly as: PackedAs;
	/** Of JPEGs; 0 for pixels. */
	readonly quality: number;
	readonly imageSize: number;
	readonly picturesPerShard: number;
	readonly source: string;
}

const kindCheck = fields<PreparationKind>({
	type: oneOf(['alexnet-preparation-1']),
	as: oneOf(['raw', 'jpeg']),
	quality: integer(0),
	imageSize: integer(1),
	picturesPerShard: integer(1),
	source: text,
});

/** What is in a shard: it is written when the shard is whole. */
export interface ShardList {
	readonly bytes: number;
	readonly entries: readonly PackedEntry[];
}

type Row = readonly [number, number, string, number, number, number, number, string];
const row: Check<Row> = must('a row', (value) => {
	const kinds = ['number', 'number', 'string', 'number', 'number', 'number', 'number', 'string'];
	return Array.isArray(value) && kinds.every((kind, place) => typeof value[place] === kind);
});
const listCheck = fields<{bytes: number; rows: readonly Row[]}>({bytes: integer(0), rows: listOf(row)});

/**
 * Makes the folder and takes it for this process, until the handle is closed.
 *
 * @throws ALEXNET_FOLDER where pictures are being prepared in it now.
 */
export async function takeFolder(out: string): Promise<FileHandle> {
	await makeFolder(out);
	const folder = await open(out);
	if (native.lockFile(folder.fd)) return folder;
	await folder.close();
	const message = `Pictures are being prepared in '${out}' now. Wait for the end, or end it (Ctrl-C) and go on then.`;
	throw new AlexNetError('ALEXNET_FOLDER', message);
}

/**
 * Finds what a preparation of the same kind has left in the folder, or begins one.
 *
 * @returns the shards that are whole, from the first
 * @throws ALEXNET_FOLDER where it holds something else.
 */
export async function beginPreparation(out: string, kind: PreparationKind): Promise<ShardList[]> {
	const names = await readdir(out);
	const path = join(out, preparationName);
	if (names.includes(preparationName)) requireSame(out, await readKind(path), kind);
	else if (names.some((name) => !name.startsWith(`${preparationName}.`))) {
		const message = `'${out}' holds files, but no preparation of pictures. Name a folder that is new or empty.`;
		throw new AlexNetError('ALEXNET_FOLDER', message);
	} else await replaceFile(path, (temporary) => writeFile(temporary, `${JSON.stringify(kind, null, '\t')}\n`));
	const lists = names.includes(indexName) ? [] : await wholeShards(out);
	const next = lists.length;
	await removeTemporaries(out, [preparationName, indexName, shardName(next), shardListName(next)]);
	return lists;
}

async function readKind(path: string): Promise<PreparationKind> {
	try {
		return checked(preparationName, kindCheck, parseShallow(await readFile(path, 'utf8')), 'ALEXNET_FOLDER');
	} catch (error) {
		const message = `'${path}' cannot be read: ${reasonOf(error)}. Prepare the pictures again, into another folder.`;
		throw new AlexNetError('ALEXNET_FOLDER', message, {cause: error});
	}
}

function requireSame(out: string, before: PreparationKind, now: PreparationKind): void {
	const words: Readonly<Record<keyof PreparationKind, string>> = {
		type: 'another version',
		as: `--as ${before.as}`,
		quality: `--quality ${before.quality}`,
		imageSize: `--image-size ${before.imageSize}`,
		picturesPerShard: `${before.picturesPerShard} pictures a shard`,
		source: 'other pictures than are there now',
	};
	const names = Object.keys(words) as (keyof PreparationKind)[];
	const other = names.find((name) => before[name] !== now[name]);
	if (other === undefined) return;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`'${out}' holds another preparation: it was begun with ${words[other]}. Go on as it was begun, or name another folder.`,
	);
}

async function wholeShards(out: string): Promise<ShardList[]> {
	const lists: ShardList[] = [];
	for (;;) {
		const list = await readShardList(out, lists.length);
		if (!list) return lists;
		lists.push(list);
	}
}

/** Undefined where the shard is not whole. */
async function readShardList(out: string, shard: number): Promise<ShardList | undefined> {
	try {
		const [digest = '', json = ''] = (await readFile(join(out, shardListName(shard)), 'utf8')).split('\n');
		const {size} = await stat(join(out, shardName(shard)));
		if (digest !== digestOf(json)) return undefined;
		const {bytes, rows} = checked('A list', listCheck, parseShallow(json));
		const entries = rows.map(([part, label, name, fileBytes, offset, length, crc, reason]) => {
			return {part, label, name, bytes: fileBytes, shard, offset, length, crc, reason};
		});
		return size === bytes ? {bytes, entries} : undefined;
	} catch (error) {
		if (codeOf(error) === 'ENOENT') return undefined;
		throw error;
	}
}

const digestOf = (json: string): string => createHash('sha256').update(json).digest('hex');

/** After its shard. */
export async function writeShardList(out: string, shard: number, {bytes, entries}: ShardList): Promise<void> {
	const rows = entries.map((entry): Row => {
		const {part, label, name, bytes: fileBytes, offset, length, crc, reason} = entry;
		return [part, label, name, fileBytes, offset, length, crc, reason];
	});
	const json = JSON.stringify({bytes, rows});
	await replaceFile(join(out, shardListName(shard)), (path) => writeFile(path, `${digestOf(json)}\n${json}\n`));
}

/** Once the index is written it has all that they say. */
export async function removeShardLists(out: string): Promise<void> {
	const lists = (await readdir(out)).filter((name) => /^shard-\d+\.json$/.test(name));
	for (const name of lists) await rm(join(out, name), {force: true});
}

/** @throws ALEXNET_FOLDER where so many bytes have no room. */
export async function requireRoom(out: string, bytes: number): Promise<void> {
	const {bavail, bsize} = await statfs(out);
	if (bavail * bsize >= bytes) return;
	const inGigabytes = (number: number): string => `${(number / 1e9).toFixed(1)} GB`;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`The pixels take another ${inGigabytes(bytes)}, and '${out}' has room for ${inGigabytes(bavail * bsize)}. Free some ` +
			'space, name a folder on another disk, or keep them as JPEGs, which take about a tenth (as: jpeg).',
	);
}
