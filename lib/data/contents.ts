import {createHash} from 'node:crypto';
import {dirname, sep} from 'node:path';
import type {PictureContents} from '../picture-source.ts';
import {breather} from './ahead.ts';
import type {Picture} from './picture-reader.ts';

/** Hashing names pauses for the event loop after this time. */
const sliceMilliseconds = 4;

/**
 * How many pictures each class has, and a digest of their paths below the folder that the class's pictures share, so
 * that the whole may move.
 */
export async function contentsOf(labels: readonly string[], pictures: readonly Picture[]): Promise<PictureContents> {
	const classes = labels.map(() => ({paths: [] as string[], hash: createHash('sha256')}));
	for (const {path, label} of pictures) classes[label]?.paths.push(path);
	const breathe = breather(sliceMilliseconds);
	const contents: {pictures: number; digest: string}[] = [];
	for (const {paths, hash} of classes) {
		const folder = sharedFolder(paths);
		for (const path of paths) {
			hash.update(`${path.slice(folder.length)}\n`);
			await breathe();
		}
		contents.push({pictures: paths.length, digest: hash.digest('hex').slice(0, 16)});
	}
	return contents;
}

/** The innermost folder in which all paths lie, with its separator; '' where there is none. */
function sharedFolder([first = '', ...others]: readonly string[]): string {
	let folder = dirname(first);
	for (const path of others) {
		while (!path.startsWith(folder + sep) && folder !== dirname(folder)) folder = dirname(folder);
	}
	return first.startsWith(folder + sep) ? folder + sep : '';
}
