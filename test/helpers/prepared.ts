// Folders of random pictures to prepare, and what must be the same of the two.
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {ImageFolder, type Batch, type Dataset, type ImageFolderOptions} from '../../lib/index.ts';
import {folderSource} from '../../lib/data/prepare/folder-source.ts';
import {prepareInShards, type PreparedReport} from '../../lib/data/prepare/prepare.ts';
import {blocks, painted, randomNumbers, writeFiles} from './pictures.ts';

export const side = 16;

/** A PNG or JPEG of random blocks and size. */
export async function randomPicture(random: () => number, format: 'png' | 'jpeg' = 'png'): Promise<Buffer> {
	const size = (): number => side + Math.floor(random() * 24);
	return painted(size(), size(), blocks(3 + Math.floor(random() * 5), Math.floor(random() * 2 ** 32)))
		.toFormat(format)
		.toBuffer();
}

/** `each` pictures of each class, by their paths `class/name`; some are broken, some damaged, some in folders. */
export async function randomPictures(seed: number, classes: readonly string[], each: number) {
	const random = randomNumbers(seed);
	const files: Record<string, Uint8Array | string> = {};
	for (const label of classes) {
		for (let picture = 0; picture < each; ++picture) {
			const isJpeg = random() < 0.5;
			const name = `${random() < 0.2 ? 'deep/er/' : ''}${Math.floor(random() * 1e6)} ${picture}`;
			const bytes = await randomPicture(random, isJpeg ? 'jpeg' : 'png');
			files[`${label}/${name}.${isJpeg ? 'jpg' : 'png'}`] = bytes;
		}
	}
	return files;
}

/** A folder with pictures of which one is broken, one is cut and one is damaged but used. */
export async function writeOddFolder(folder: string, seed: number, each = 9): Promise<void> {
	const random = randomNumbers(seed + 1);
	await writeFiles(folder, await randomPictures(seed, ['ant', 'bee', 'Zébu'], each));
	const jpeg = await randomPicture(random, 'jpeg');
	await writeFiles(folder, {
		'ant/broken.png': 'This is no picture.',
		'bee/cut.png': (await randomPicture(random)).subarray(0, 60),
		'bee/longer.jpg': Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(200, 7), jpeg.subarray(-2)]),
		'Zébu/notes.txt': 'No picture either.',
	});
}

/** Prepares a folder at {@link side}, a few pictures a shard. */
export async function prepare(
	folder: string,
	out: string,
	{
		picturesPerShard = 5,
		...more
	}: {
		picturesPerShard?: number;
		as?: 'raw' | 'jpeg';
		signal?: AbortSignal;
		onProgress?: (done: number, total: number) => void;
	} = {},
): Promise<PreparedReport> {
	const options = {as: 'raw', quality: 90, imageSize: side, labels: undefined, ilsvrc: false, ...more} as const;
	return prepareInShards(await folderSource(folder), out, {
		signal: undefined,
		onProgress: undefined,
		...options,
		picturesPerShard,
	});
}

export const openAt = async (folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> =>
	ImageFolder.open(folder, {imageSize: side, ...options});

/** All batches, with memory of their own. */
export async function batchesOf(data: Dataset, order: ArrayLike<number>, batchSize = 4): Promise<Batch[]> {
	const batches: Batch[] = [];
	for await (const batch of data.batches({batchSize, order})) batches.push({...batch, images: batch.images.slice()});
	return batches;
}

/** What a folder has, by name. */
export async function filesOf(folder: string): Promise<Record<string, Buffer>> {
	const names = (await readdir(folder)).sort();
	return Object.fromEntries(
		await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
	);
}
