import {createHash, type Hash} from 'node:crypto';
import {stat} from 'node:fs/promises';
import {dirname, sep} from 'node:path';
import type {PictureContents} from './picture-source.ts';
import {breather} from '../base/breather.ts';
import {codeOf} from '../base/files.ts';
import {mapAhead} from './map-ahead.ts';
import type {Picture} from './picture-reader.ts';
import {isStorageFailure, StorageError} from './storage.ts';

/** How many files are asked for their sizes at the same time. */
const filesAtOnce = 32;

/**
 * How many pictures each class has, a digest of their names, and one of their files' sizes, where all of these can be had.
 *
 * Not of the files' times: a folder that is copied, restored or checked out anew has new ones and the same pictures. What
 * {@link writtenSince} finds is told, and refused by nobody.
 *
 * @param unread places of pictures whose sizes do not count
 * @throws {@link StorageError} where a file's size cannot be had for a reason that is none of its own.
 */
export async function contentsOf(
	labels: readonly string[],
	pictures: readonly Picture[],
	unread: ArrayLike<number>,
): Promise<PictureContents> {
	const names = await namesOf(labels, pictures);
	const hashes = labels.map(() => createHash('sha256'));
	const incomplete = new Set<number>();
	const breathe = breather();
	const without = new Set(Array.from(unread));
	const read = pictures.filter((_, place) => !without.has(place));
	const sized = mapAhead(read, filesAtOnce, async ({bytes, path, label}) => ({
		label,
		size: bytes ?? (await sizeOf(path)),
	}));
	for await (const {label, size} of sized) {
		if (size === undefined) incomplete.add(label);
		hashes[label]?.update(`${size}\n`);
		await breathe();
	}
	return names.map((own, label) => {
		const hash = hashes[label];
		return hash && !incomplete.has(label) ? {...own, sizes: shortDigest(hash)} : own;
	});
}

/**
 * How many pictures each class has, and a digest of their paths below the folder that the class's pictures share, so
 * that the whole may move; in Unicode's form NFC, so that it may move to a system that spells names in another. No file
 * is touched.
 */
export async function namesOf(labels: readonly string[], pictures: readonly Picture[]): Promise<PictureContents> {
	const classes = labels.map(() => ({paths: [] as string[], hash: createHash('sha256')}));
	for (const {path, label} of pictures) classes[label]?.paths.push(path.normalize('NFC'));
	const breathe = breather();
	const contents: {pictures: number; digest: string}[] = [];
	for (const {paths, hash} of classes) {
		const folder = sharedFolder(paths);
		for (const path of paths) {
			hash.update(`${path.slice(folder.length)}\n`);
			await breathe();
		}
		contents.push({pictures: paths.length, digest: shortDigest(hash)});
	}
	return contents;
}

/** Paths of files that were written after a moment, in milliseconds; none that cannot be had, nor prepared pictures. */
export async function writtenSince(pictures: readonly Picture[], moment: number): Promise<string[]> {
	const files = pictures.filter(({bytes}) => bytes === undefined);
	const found: string[] = [];
	const breathe = breather();
	const timed = mapAhead(files, filesAtOnce, async ({path}) => ({path, time: await timeOf(path)}));
	for await (const {path, time} of timed) {
		if (time > moment) found.push(path);
		await breathe();
	}
	return found;
}

async function timeOf(path: string): Promise<number> {
	try {
		return (await stat(path)).mtimeMs;
	} catch {
		return -Infinity; // looking at its size, or reading it, will tell
	}
}

function shortDigest(hash: Hash): string {
	return hash.digest('hex').slice(0, 16);
}

/**
 * In bytes; undefined of what is no file, which reading the picture will tell, if it is not read in a way of its own.
 *
 * @throws {@link StorageError} where the storage fails: a run would not notice any more what is replaced in the class.
 */
async function sizeOf(path: string): Promise<number | undefined> {
	try {
		return (await stat(path)).size;
	} catch (error) {
		const isThere = codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR';
		if (isThere && (await isStorageFailure(path, error))) throw new StorageError(path, 0, error);
		return undefined;
	}
}

/** The innermost folder in which all paths lie, with its separator; '' where there is none. */
function sharedFolder([first = '', ...others]: readonly string[]): string {
	let folder = dirname(first);
	for (const path of others) {
		while (!path.startsWith(folder + sep) && folder !== dirname(folder)) folder = dirname(folder);
	}
	return first.startsWith(folder + sep) ? folder + sep : '';
}
