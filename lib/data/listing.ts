import type {Stats} from 'node:fs';
import {readdir, realpath, stat} from 'node:fs/promises';
import {extname, join} from 'node:path';
import {AlexNetError, messageOf} from '../base/errors.ts';
import {reasonOf} from '../base/files.ts';

/** What a folder holds. Hidden entries and {@link metadata} do not count; links count as what they lead to. */
export interface Listing {
	/** Names of folders, {@link inOrder}. */
	readonly folders: readonly string[];
	/** Paths of pictures relative to the folder, with '/', {@link inOrder}. */
	readonly pictures: readonly string[];
	/** The other files: how many by extension, in lower case. */
	readonly others: ReadonlyMap<string, number>;
}

// .jfif is what Windows saves from web pages; .jpe and .jif are old names of the same.
const pictureExtensions = ['.jpg', '.jpeg', '.jpe', '.jfif', '.jif', '.png', '.webp', '.gif', '.tif', '.tiff'];
export const isPictureName = (name: string): boolean => pictureExtensions.includes(extname(name).toLowerCase());
export const pictureKinds = `${pictureExtensions.slice(0, -1).join(', ')} or ${pictureExtensions.at(-1) ?? ''}`;

/**
 * What systems, NAS boxes and archives leave in people's folders, in lower case: neither a class nor a file that a user
 * would miss. Most of it (.DS_Store, ._*, .Trashes, .AppleDouble, .@__thumb) is hidden anyway.
 */
const metadata = new Set([
	...['__macosx', 'icon\r', 'network trash folder', 'temporary items'], // macOS, and archives made there
	...['thumbs.db', 'ehthumbs.db', 'desktop.ini', '$recycle.bin', 'recycler', 'system volume information'], // Windows
	...['@eadir', '#recycle', '#snapshot', '@tmp', '@sharebin'], // Synology
	...['@recycle', '@recently-snapshot'], // QNAP
	...['lost+found', '~snapshot'], // Linux file systems, NetApp
]);

/** What Windows saves of repaired disks; and what WSL and Synology make of streams beside each file: a.jpg:Zone.Identifier */
const metadataPattern = /^found\.\d{3}$|:zone\.identifier$|@synoeastream$|@synoresource$/;

/** How many extensions a message names. */
const mostKinds = 5;

/**
 * Lists one folder.
 *
 * @throws ALEXNET_FOLDER where there is none or it cannot be read, `expected` says what the message asks for; or where a
 * link in it cannot be followed that may be of a class.
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
		if (isPassedOver(name)) continue;
		const kind = entry.isSymbolicLink() ? await linkTarget(join(folder, name)) : entry;
		const extension = extname(name).toLowerCase();
		if (kind?.isDirectory()) folders.push(name);
		else if (isPictureName(name) && (kind?.isFile() ?? true)) pictures.push(name);
		else others.set(extension, (others.get(extension) ?? 0) + 1);
	}
	return {folders: inOrder(folders), pictures: inOrder(pictures), others};
}

/** Hidden entries and {@link metadata}. */
export function isPassedOver(name: string): boolean {
	const key = name.toLowerCase();
	return key.startsWith('.') || metadata.has(key) || metadataPattern.test(key);
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
	return {folders: [], pictures: inOrder(pictures), others};
}

/**
 * Sorted by the code units of their form NFC, as a copy of the folder on another system may spell names in NFD; those
 * that differ in form alone by their own.
 */
function inOrder(names: readonly string[]): string[] {
	return inOrderOf(names, (name) => name);
}

/** As a folder's pictures come: by their names, those that are the same as they were. */
export function inOrderOf<T>(items: readonly T[], nameOf: (item: T) => string): T[] {
	const keyed = items.map((item) => ({item, name: nameOf(item), key: nameOf(item).normalize('NFC')}));
	keyed.sort((first, second) => byCodeUnits(first.key, second.key) || byCodeUnits(first.name, second.name));
	return keyed.map(({item}) => item);
}

/** For sorting. */
export function byCodeUnits(first: string, second: string): number {
	return first < second ? -1 : Number(first > second);
}

/** For messages: "12 .bmp files, 1 .txt file"; "nothing" where there is none. */
export function describeFiles(counts: ReadonlyMap<string, number>): string {
	const files = (number: number, kind: string): string => `${kind ? `${kind} ` : ''}${number === 1 ? 'file' : 'files'}`;
	return describeKinds(counts, files) || 'nothing';
}

/** "40 .bmp, 30 without extension, 12 others": those of most files first. */
export function describeKinds(
	counts: ReadonlyMap<string, number>,
	words = (_: number, kind: string): string => kind || 'without extension',
): string {
	const sorted = [...counts].sort(([, first], [, second]) => second - first);
	const parts = sorted.slice(0, mostKinds).map(([kind, number]) => `${number} ${words(number, kind)}`);
	const rest = sorted.slice(mostKinds).reduce((sum, [, number]) => sum + number, 0);
	return [...parts, ...(rest > 0 ? [`${rest} ${rest === 1 ? 'other' : 'others'}`] : [])].join(', ');
}

/** Undefined of a picture's that cannot be had, which reading the picture will tell. */
async function linkTarget(path: string): Promise<Stats | undefined> {
	try {
		return await stat(path);
	} catch (error) {
		if (isPictureName(path)) return undefined;
		// Taken for a file it would be a class less, or a part, and nobody would notice.
		throw new AlexNetError(
			'ALEXNET_FOLDER',
			`The link '${path}' cannot be followed: ${reasonOf(error)}. If it is a folder's, make that readable again, as ` +
				'its drive may be away; otherwise remove the link.',
			{cause: error},
		);
	}
}

function whyNot(folder: string, error: unknown): string {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	if (code === 'ENOENT') return `There is no folder '${folder}'.`;
	if (code === 'ENOTDIR') return `'${folder}' is a file, not a folder.`;
	if (code === 'EACCES') return `Reading the folder '${folder}' is not permitted.`;
	return `The folder '${folder}' cannot be read: ${messageOf(error)}.`;
}
