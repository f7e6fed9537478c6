// Of which class each picture of an archive is.
import {basename} from 'node:path';
import {AlexNetError} from '../../base/errors.ts';
import {layoutOf} from '../layout.ts';
import {keyOf} from './tar-key.ts';

export interface TarPicture {
	/** Place of its archive among those given. */
	readonly archive: number;
	readonly name: string;
}

/** A picture's class, and its name there. */
export interface Placed {
	readonly archive: number;
	/** Where folders in the archive tell. */
	readonly part?: number;
	readonly label: string;
	readonly name: string;
	/** Its class is a number rather than a name. */
	readonly isNumbered?: boolean;
}

/** Undefined of a picture without such a file. */
export function placedByClassFile(
	pictures: readonly TarPicture[],
	classFiles: ReadonlyMap<string, string>,
): (Placed | undefined)[] {
	return pictures.map(({archive, name}) => {
		const label = classFiles.get(`${archive} ${keyOf(name)}`);
		return label === undefined || label === ''
			? undefined
			: {archive, label: label.normalize('NFC'), name, isNumbered: true};
	});
}

/**
 * As folders on a disk would be read, below those that all pictures share. Undefined of a picture in no class's folder.
 *
 * @param partOf the archives' parts, where these have them
 */
export function placedByFolders(
	archives: readonly string[],
	pictures: readonly TarPicture[],
	partOf: readonly number[] | undefined,
): (Placed | undefined)[] {
	const paths = pictures.map(({name}) => name.split('/'));
	const shared = sharedFolders(paths);
	const below = paths.map((path) => path.slice(shared));
	const folders = [...new Set(below.flatMap((path) => (path.length > 1 ? [path[0] ?? ''] : [])))];
	if (folders.length === 0) {
		const message = `The pictures in '${archives[0] ?? ''}' lie in no class folders. Expected <class>/*.jpg, or key.jpg beside key.cls.`;
		throw new AlexNetError('ALEXNET_FOLDER', message);
	}
	const layout = partOf ? undefined : layoutOf('.', folders);
	const parts = layout?.heldOut === undefined ? undefined : [basename(layout.train), basename(layout.heldOut)];
	return below.map((path, place) => {
		const {archive = 0} = pictures[place] ?? {};
		const part = parts?.indexOf(path[0] ?? '');
		const [label = '', ...name] = parts ? path.slice(1) : path;
		if (part === -1 || name.length === 0) return undefined;
		return {archive, ...(part !== undefined && {part}), label: label.normalize('NFC'), name: name.join('/')};
	});
}

/** How many folders all pictures share, as long as each has one below. */
function sharedFolders(paths: readonly (readonly string[])[]): number {
	for (let depth = 0; ; ++depth) {
		const first = paths[0]?.[depth];
		if (!paths.every((path) => path.length > depth + 2 && path[depth] === first)) return depth;
	}
}
