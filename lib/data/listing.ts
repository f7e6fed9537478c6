import {readdir, realpath, stat} from 'node:fs/promises';
import {extname, join} from 'node:path';
import {AlexNetError} from '../errors.ts';

/** What a folder holds. Hidden entries do not count; links count as what they lead to. */
export interface Listing {
	/** Names of folders, sorted by code unit. */
	readonly folders: readonly string[];
	/** Paths of pictures relative to the folder, with '/', sorted by code unit. */
	readonly pictures: readonly string[];
	/** The other files: how many by extension. */
	readonly others: ReadonlyMap<string, number>;
}

const pictureExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff']);
export const pictureKinds = '.jpg, .jpeg, .png, .webp, .gif, .tif or .tiff';

/**
 * Lists one folder.
 *
 * @throws ALEXNET_FOLDER where there is none or it cannot be read; `expected` says what the message asks for.
 */
export async function listFolder(folder: string, expected: string): Promise<Listing> {
	let entries;
	try {
		entries = await readdir(folder, {withFileTypes: true});
	} catch (error) {
		throw new AlexNetError('ALEXNET_FOLDER', `${whyNot(folder, error)} Expected ${expected}.`, {cause: error});
	}
	const folders: string[] = [];
	const pictures: string[] = [];
	const others = new Map<string, number>();
	for (const entry of entries) {
		const {name} = entry;
		if (name.startsWith('.')) continue;
		const kind = entry.isSymbolicLink() ? await linkTarget(join(folder, name)) : entry;
		const extension = extname(name).toLowerCase();
		if (kind?.isDirectory()) folders.push(name);
		// A link that leads nowhere is kept, so that it is reported as unreadable.
		else if (pictureExtensions.has(extension) && (kind?.isFile() ?? true)) pictures.push(name);
		else others.set(extension, (others.get(extension) ?? 0) + 1);
	}
	return {folders: folders.sort(), pictures: pictures.sort(), others};
}

/** Lists a folder and the folders in it, whose names become part of the pictures' paths. */
export async function listTree(root: string, expected: string): Promise<Listing> {
	const pictures: string[] = [];
	const others = new Map<string, number>();
	// A link may lead back to a folder that it lies in: each real folder on the way down is entered once.
	const walk = async (prefix: string, above: readonly string[]): Promise<void> => {
		const folder = join(root, prefix);
		const listing = await listFolder(folder, expected);
		const real = await realpath(folder);
		if (above.includes(real)) return;
		pictures.push(...listing.pictures.map((name) => prefix + name));
		for (const [extension, count] of listing.others) others.set(extension, (others.get(extension) ?? 0) + count);
		for (const name of listing.folders) await walk(`${prefix}${name}/`, [...above, real]);
	};
	await walk('', []);
	return {folders: [], pictures: pictures.sort(), others};
}

/** For messages: "12 .bmp files and 1 .txt file"; "nothing" where there is none. */
export function describeFiles(counts: ReadonlyMap<string, number>): string {
	const parts = [...counts]
		.sort(([, first], [, second]) => second - first)
		.slice(0, 5)
		.map(([kind, count]) => `${count} ${kind ? `${kind} ` : ''}${count === 1 ? 'file' : 'files'}`);
	return parts.length > 0 ? parts.join(', ') : 'nothing';
}

async function linkTarget(path: string) {
	try {
		return await stat(path);
	} catch {
		return undefined;
	}
}

function whyNot(folder: string, error: unknown): string {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	if (code === 'ENOENT') return `There is no folder '${folder}'.`;
	if (code === 'ENOTDIR') return `'${folder}' is a file, not a folder.`;
	if (code === 'EACCES') return `Reading the folder '${folder}' is not permitted.`;
	return `The folder '${folder}' cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
}
