// Emoji drawn by two artists, Google's Noto (Apache-2.0) and Twitter's Twemoji (CC-BY-4.0), as
// the packages emoji-datasource-google and emoji-datasource-twitter carry them: 64 x 64, nine Unicode categories.
import {createHash} from 'node:crypto';
import {copyFile, mkdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {checked, fields, listOf, text, where} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';
import {reasonOf} from '../../base/files.ts';
import {parseShallow} from '../../base/json.ts';
import {CommandError, runCommand} from '../../base/run-command.ts';
import type {Example} from './example.ts';

const artists = ['google', 'twitter'];
const packageVersion = '16.0.0';
const heldOutShare = 0.17;
const seed = 1;

export const emoji: Example = {
	about: '1,906 emoji by two artists, 64 x 64, in nine categories of Unicode of unequal size',
	licence: "Apache-2.0 (Google's Noto) and CC-BY-4.0 (Twitter's Twemoji)",
	needs: '150 MB with npm: emoji-datasource-google and emoji-datasource-twitter',
	version: 1,
	async layOut(folder, {source, scratch, signal}) {
		if (source === undefined) await installWithNpm(scratch, signal);
		const packages = source ?? join(scratch, 'node_modules');
		await layOutEmoji({packages, folder, signal});
	},
};

/** What emoji.json says of one emoji, as far as it is needed here. */
interface Emoji {
	readonly unified: string;
	readonly image: string;
	readonly category: string;
}

/** A name that stays in its folder. */
const fileName = where(text, (name) => /^[^/\\\0]+$/.test(name) && !/^\.+$/.test(name), 'the name of a file');

const emojiList = listOf(fields<Emoji>({unified: text, image: fileName, category: fileName}));

interface Emojis {
	/** Holds the two packages. */
	readonly packages: string;
	/** To be filled. */
	readonly folder: string;
	readonly signal?: AbortSignal | undefined;
}

/**
 * Copies the pictures into `folder`/{train,val}/<category>. A share of each category is held out, drawn by seed, and
 * always whole emoji: both artists' pictures of it, and all emoji that have a picture in common (the flags of Norway and
 * Svalbard, many families). Skin tones are left out: the category "Component" and the variations of an emoji.
 */
export async function layOutEmoji({packages, folder, signal}: Emojis): Promise<void> {
	const packageOf = (artist: string): string => join(packages, `emoji-datasource-${artist}`);
	const pictureOf = (artist: string, image: string): string => join(packageOf(artist), 'img', artist, '64', image);
	const list = await readList(join(packageOf('google'), 'emoji.json'));
	const emoji = list.filter(({category}) => category !== 'Component');
	const groups = await groupByPicture(emoji, (image) => artists.map((artist) => pictureOf(artist, image)));
	const heldOut = drawHeldOut(groups);
	for (const one of emoji) {
		signal?.throwIfAborted();
		const classFolder = join(folder, heldOut.has(one) ? 'val' : 'train', one.category);
		await mkdir(classFolder, {recursive: true});
		for (const artist of artists) {
			await copyFile(pictureOf(artist, one.image), join(classFolder, `${artist}-${one.image}`));
		}
	}
}

async function readList(path: string): Promise<readonly Emoji[]> {
	const json = await readFile(path, 'utf8');
	try {
		return checked('its content', emojiList, parseShallow(json));
	} catch (error) {
		const message = `'${path}' is not the one of emoji-datasource-google ${packageVersion}: ${reasonOf(error)}.`;
		throw new AlexNetError('ALEXNET_FOLDER', message, {cause: error});
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

async function installWithNpm(folder: string, signal: AbortSignal | undefined): Promise<void> {
	const packages = artists.map((artist) => `emoji-datasource-${artist}@${packageVersion}`);
	const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
	const patience = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=10000']; // Not minutes without a network.
	try {
		await runCommand('npm', ['install', '--prefix', folder, ...quiet, ...patience, ...packages], {signal});
	} catch (error) {
		if (!(error instanceof CommandError)) throw error;
		const said = error.said.split('\n').filter((line) => line.trim() && !/^npm error\s+at /.test(line));
		throw new AlexNetError(
			'ALEXNET_FOLDER',
			`The emoji could not be downloaded: ${packages.join(' and ')} (about 150 MB), with npm.\n` +
				`${[error.message, ...said.slice(0, 5)].join('\n')}\n` +
				"Check the network and npm's registry setting, or name a folder that has both packages as the source.",
			{cause: error},
		);
	}
}
