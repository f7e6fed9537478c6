// Pictures for the demo: emoji drawn by two artists, Google's Noto (Apache-2.0) and Twitter's Twemoji (CC-BY-4.0), as
// the packages emoji-datasource-google and emoji-datasource-twitter carry them: 64 x 64, nine Unicode categories.
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {copyFile, mkdir, readFile, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';

export interface EmojiPictures {
	/** Holds {train,val}/<category>/<artist>-<code point>.png. */
	folder: string;
	/** Numbers of pictures. */
	train: number;
	validation: number;
	/** The largest category's share of the validation pictures: what always naming it would score. */
	largestClass: number;
}

const artists = ['google', 'twitter'];
const packageVersion = '16.0.0';
const heldOutShare = 0.17;
const seed = 1;
/** Laid beside train and val; it names everything that a kept folder depends on. */
const stampName = 'whole.json';

/**
 * Gets the emoji once (a download of about 150 MB) and keeps their pictures in the cache folder, by default .cache
 * under the project's root. The pictures' folder appears whole or not at all; a later call finds it there.
 *
 * @param install Puts the packages into `folder`/node_modules.
 * @throws where npm cannot get the packages; the message says what npm said and what to do.
 */
export async function prepareEmoji({
	cacheFolder = join(import.meta.dirname, '..', '..', '..', '.cache'),
	install = installWithNpm,
} = {}): Promise<EmojiPictures> {
	const folder = join(cacheFolder, 'emoji-pictures');
	const kept = await countPictures(folder);
	if ((await readStamp(folder)) === stampOf(kept)) return {folder, ...kept};
	await removeRemains(cacheFolder);
	const partial = join(cacheFolder, `emoji-partial-${process.pid}`);
	try {
		await mkdir(partial, {recursive: true});
		await install(partial);
		const laidOut = join(partial, 'pictures');
		await layOutEmoji({packages: join(partial, 'node_modules'), folder: laidOut});
		const made = await countPictures(laidOut);
		await writeFile(join(laidOut, stampName), stampOf(made));
		await rm(folder, {recursive: true, force: true});
		await rename(laidOut, folder);
		return {folder, ...made};
	} finally {
		await rm(partial, {recursive: true, force: true});
	}
}

/** What emoji.json says of one emoji, as far as it is needed here. */
interface Emoji {
	unified: string;
	image: string;
	category: string;
}

/**
 * Copies the pictures into `folder`/{train,val}/<category>. A share of each category is held out, drawn by seed, and
 * always whole emoji: both artists' pictures of it, and all emoji that have a picture in common (the flags of Norway and
 * Svalbard, many families). Skin tones are left out: the category "Component" and the variations of an emoji.
 */
export async function layOutEmoji({packages, folder}: {packages: string; folder: string}): Promise<void> {
	const packageOf = (artist: string): string => join(packages, `emoji-datasource-${artist}`);
	const pictureOf = (artist: string, image: string): string => join(packageOf(artist), 'img', artist, '64', image);
	const list = JSON.parse(await readFile(join(packageOf('google'), 'emoji.json'), 'utf8')) as Emoji[];
	const emoji = list.filter(({category}) => category !== 'Component');
	const groups = await groupByPicture(emoji, (image) => artists.map((artist) => pictureOf(artist, image)));
	const heldOut = drawHeldOut(groups);
	for (const one of emoji) {
		const classFolder = join(folder, heldOut.has(one) ? 'val' : 'train', one.category);
		await mkdir(classFolder, {recursive: true});
		for (const artist of artists) {
			await copyFile(pictureOf(artist, one.image), join(classFolder, `${artist}-${one.image}`));
		}
	}
}

/** Groups of emoji that are linked by equal pictures. */
async function groupByPicture(emoji: readonly Emoji[], files: (image: string) => string[]): Promise<Emoji[][]> {
	// A forest whose nodes are emoji and pictures; a tree is a group.
	const parents = new Map<string, string>();
	const rootOf = (node: string): string => {
		const parent = parents.get(node);
		return parent === undefined ? node : rootOf(parent);
	};
	for (const {unified, image} of emoji) {
		for (const file of files(image)) {
			const [one, other] = [rootOf(unified), rootOf(hash(await readFile(file)))];
			if (one !== other) parents.set(one, other);
		}
	}
	const groups = new Map<string, Emoji[]>();
	for (const one of emoji) {
		const root = rootOf(one.unified);
		groups.set(root, [...(groups.get(root) ?? []), one]);
	}
	return [...groups.values()];
}

/** Takes groups in the order of their lots, category by category, as long as the category's share is not exceeded. */
function drawHeldOut(groups: readonly Emoji[][]): Set<Emoji> {
	const lots = groups
		.flatMap((group) =>
			group[0] ? [{group, category: group[0].category, lot: hash(`${seed}/${group[0].unified}`)}] : [],
		)
		.sort((first, second) => (first.lot < second.lot ? -1 : 1));
	const heldOut = new Set<Emoji>();
	for (const category of new Set(lots.map((entry) => entry.category))) {
		const own = lots.filter((entry) => entry.category === category);
		let room = Math.round(own.reduce((sum, {group}) => sum + group.length, 0) * heldOutShare);
		for (const {group} of own) {
			if (group.length > room) continue;
			room -= group.length;
			for (const one of group) heldOut.add(one);
		}
	}
	return heldOut;
}

function hash(content: string | Uint8Array): string {
	return createHash('sha256').update(content).digest('hex');
}

async function installWithNpm(folder: string): Promise<void> {
	const packages = artists.map((artist) => `emoji-datasource-${artist}@${packageVersion}`);
	const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
	const patience = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=10000']; // Not minutes without a network.
	try {
		await promisify(execFile)('npm', ['install', '--prefix', folder, ...quiet, ...patience, ...packages]);
	} catch (error) {
		throw new Error(
			`The emoji pictures could not be downloaded. The demo gets ${packages.join(' and ')} (about 150 MB) with npm, ` +
				`which failed:\n${whatNpmSaid(error)}\nCheck the network and npm's registry setting, then run the demo again.`,
			{cause: error},
		);
	}
}

function whatNpmSaid(error: unknown): string {
	const {code, stderr = ''} = error as {code?: unknown; stderr?: string};
	if (code === 'ENOENT') return 'npm was not found';
	const lines = stderr.split('\n').filter((line) => line.trim() && !/^npm error\s+at /.test(line));
	return lines.slice(0, 5).join('\n');
}

/** Removes what runs left behind that were killed before they could. */
async function removeRemains(cacheFolder: string): Promise<void> {
	for (const name of await readdir(cacheFolder).catch(() => [])) {
		const pid = /^emoji-partial-(\d+)$/.exec(name)?.[1];
		if (!pid || isRunning(Number(pid))) continue;
		// Its npm may still be writing there; the next run removes the rest.
		await rm(join(cacheFolder, name), {recursive: true, force: true}).catch(() => undefined);
	}
}

function isRunning(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

async function countPictures(folder: string): Promise<Omit<EmojiPictures, 'folder'>> {
	const counts = async (part: string): Promise<number[]> => {
		const classes = await readdir(join(folder, part)).catch(() => []);
		return Promise.all(classes.map(async (name) => (await readdir(join(folder, part, name))).length));
	};
	const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
	const [train, validation] = [await counts('train'), await counts('val')];
	return {train: sum(train), validation: sum(validation), largestClass: Math.max(0, ...validation) / sum(validation)};
}

function stampOf({train, validation}: {train: number; validation: number}): string {
	return JSON.stringify({packageVersion, heldOutShare, seed, train, validation});
}

async function readStamp(folder: string): Promise<string | undefined> {
	return readFile(join(folder, stampName), 'utf8').catch(() => undefined);
}
