// The demo's pictures: emoji by two artists, in nine Unicode categories, from two npm packages.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {access, copyFile, mkdir, readFile, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {AlexNetError} from '../lib/errors.ts';
import {shuffled} from '../lib/random.ts';

/** Noto emoji (Apache-2.0) and Twemoji (CC-BY-4.0), 64 x 64 with transparency. */
const artists = ['google', 'twitter'] as const;
const version = '16.0.0';
/** Share of each category's emoji that is held out. */
const heldOutShare = 0.17;

/** What emoji.json tells of an emoji. */
export interface EmojiEntry {
	/** Code points, for example "1F600". */
	unified: string;
	/** File name, for example "1f600.png". */
	image: string;
	category: string;
}

export interface EmojiPictures {
	/** Holds train/<category>/ and val/<category>/. */
	folder: string;
	/** Number of pictures. */
	train: number;
	validation: number;
	/** Share of the largest category among the held-out pictures: what a guesser of one answer gets right. */
	largestClass: number;
}

/** Downloads the pictures and sorts them into folders, each once. */
export async function prepareEmoji(cache = join(import.meta.dirname, '..', '.cache')): Promise<EmojiPictures> {
	const packages = join(cache, `emoji-datasource-${version}`);
	await onceWhole(packages, download);
	const source = (artist: string): string => join(packages, 'node_modules', `emoji-datasource-${artist}`);
	const entries = JSON.parse(await readFile(join(source(artists[0]), 'emoji.json'), 'utf8')) as EmojiEntry[];
	const pictureOf = (artist: string, {image}: EmojiEntry): string => join(source(artist), 'img', artist, '64', image);
	return layOut(entries, pictureOf, join(cache, 'emoji-pictures'));
}

/**
 * Copies pictures into folder/{train,val}/<category>/<artist>-<image>. The split is by emoji: all artists' versions of
 * one are on the same side, so that nothing held out was seen in another style. "Component" (skin tones and hair, five
 * emoji) is no category that a picture could show.
 */
export async function layOut(
	entries: readonly EmojiEntry[],
	pictureOf: (artist: string, entry: EmojiEntry) => string,
	folder: string,
): Promise<EmojiPictures> {
	const sides = split(entries.filter(({category}) => category !== 'Component'));
	const counts = {train: 0, val: 0};
	const heldOut = new Map<string, number>();
	await onceWhole(folder, async (temporary) => {
		for (const {entry, side} of sides) {
			await mkdir(join(temporary, side, entry.category), {recursive: true});
			for (const artist of artists) {
				const copy = join(temporary, side, entry.category, `${artist}-${entry.image}`);
				// A few of the newest emoji are missing in one artist's set.
				await copyFile(pictureOf(artist, entry), copy).catch(ignoreMissing);
			}
		}
	});
	for (const {entry, side} of sides) {
		for (const artist of artists) {
			if (!(await exists(join(folder, side, entry.category, `${artist}-${entry.image}`)))) continue;
			++counts[side];
			if (side === 'val') heldOut.set(entry.category, (heldOut.get(entry.category) ?? 0) + 1);
		}
	}
	const {train, val: validation} = counts;
	return {folder, train, validation, largestClass: Math.max(...heldOut.values()) / validation};
}

/** Holds out a fixed draw of each category. */
function split(entries: readonly EmojiEntry[]): {entry: EmojiEntry; side: 'train' | 'val'}[] {
	const categories = groupByCategory(entries);
	return [...categories.values()].flatMap((own) => {
		const held = Math.round(own.length * heldOutShare);
		const order = shuffled(own.length, 0, 0);
		return own.map((entry, index) => ({
			entry,
			side: (order[index] ?? 0) < held ? ('val' as const) : ('train' as const),
		}));
	});
}

function groupByCategory(entries: readonly EmojiEntry[]): Map<string, EmojiEntry[]> {
	const categories = new Map<string, EmojiEntry[]>();
	for (const entry of entries) {
		const own = categories.get(entry.category) ?? [];
		own.push(entry);
		categories.set(entry.category, own);
	}
	return categories;
}

/** Makes a folder under another name and renames it when it is whole, so that a killed download leaves nothing half. */
async function onceWhole(folder: string, make: (temporary: string) => Promise<void>): Promise<void> {
	if (await exists(folder)) return;
	const temporary = `${folder}.${process.pid}.tmp`;
	await rm(temporary, {recursive: true, force: true});
	await mkdir(temporary, {recursive: true});
	try {
		await make(temporary);
		await rename(temporary, folder);
	} catch (error) {
		await rm(temporary, {recursive: true, force: true});
		throw error;
	}
}

async function download(folder: string): Promise<void> {
	process.stderr.write('Getting 152 MB of emoji from the npm registry, once.\n');
	const packages = artists.map((artist) => `emoji-datasource-${artist}@${version}`);
	const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', '--prefix', folder];
	const npm = spawn('npm', ['install', ...options, ...packages], {stdio: ['ignore', 'ignore', 'inherit']});
	const [code] = (await once(npm, 'exit')) as [number | null];
	if (code === 0) return;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`npm could not install ${packages.join(' and ')} (exit code ${code}). The demo needs the npm registry once.`,
	);
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}

function ignoreMissing(error: unknown): void {
	if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
	throw error;
}
