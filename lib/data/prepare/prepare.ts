// Pictures of any source become shards and an index.
import {open, type FileHandle} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {crc32} from 'node:zlib';
import {
	callback,
	checked,
	either,
	filePath,
	flag,
	instanceOf,
	integer,
	listOf,
	option,
	options,
} from '../../base/check.ts';
import type {Checked} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';
import {codeOf, reasonOf, replaceFile} from '../../base/files.ts';
import {datasetOptions} from '../dataset.ts';
import {DecoderProcess} from '../decoder-process.ts';
import {mapAhead} from '../map-ahead.ts';
import {packedAs, shardName, type PackedAs, type PackedEntry} from '../packed/format.ts';
import {PackedPictures} from '../packed/packed-pictures.ts';
import {PictureError} from '../picture-input.ts';
import {withPatience} from '../storage.ts';
import {imageSize} from '../views.ts';
import {finishIndex} from './finish-index.ts';
import {openSource} from './open-source.ts';
import {beginPreparation, removeShardLists, requireRoom, takeFolder, writeShardList} from './preparation.ts';
import type {ShardList} from './preparation.ts';
import type {Source, SourcePicture} from './source.ts';

/** What `preparePictures` takes besides the pictures and the folder to make. */
export interface PrepareOptions {
	/** How pictures are kept: their pixels as they are, or as JPEGs of a tenth of the bytes. Default 'raw'. */
	as?: PackedAs | undefined;
	/** Quality of the JPEGs, from 1 to 100. Default 90. */
	quality?: number | undefined;
	/** Side S of the decoded pictures. Default 256, as in the paper. */
	imageSize?: number | undefined;
	/** A file with the class of each picture of a flat folder: lines `name,class`, or a number a line in order of names. */
	labels?: string | undefined;
	/** Takes the three archives of ILSVRC-2012 (train, val, devkit) as the source. Default false. */
	ilsvrc?: boolean | undefined;
	/** Rejects with the signal's reason after the pictures in flight; started again, it goes on. */
	signal?: AbortSignal | undefined;
	/** Called as pictures are done, with how many are, those of earlier starts included, and how many there are. */
	onProgress?: ((done: number, total: number) => void) | undefined;
}

export const prepareOptions = options<PrepareOptions>()({
	as: packedAs,
	quality: option(integer(1, 100), 'quality of the JPEGs, from 1 to 100', 90),
	imageSize,
	labels: option(filePath, 'a file with the class of each picture of a flat folder'),
	ilsvrc: option(flag, 'takes the three archives of ILSVRC-2012 (train, val, devkit) as the source', false),
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
});

/** What `preparePictures` has made. */
export interface PreparedReport {
	/** Pictures, readable or not. */
	readonly pictures: number;
	/** Those that could not be read, by path below the folder, and why. They are left out of training. */
	readonly unreadable: ReadonlyMap<string, string>;
	/** Those that are used although they are damaged, by path below the folder, and what is known of the damage. */
	readonly suspect: ReadonlyMap<string, string>;
	/** What the source had besides its pictures, for people: a sentence or two each. */
	readonly remarks: readonly string[];
}

/** A shard ends with whichever comes first. */
const [picturesPerShard, bytesPerShard] = [4096, 2 ** 30];

/** For how long a picture is asked for again whose storage fails. */
const retrySeconds = datasetOptions.checks.retrySeconds.default;

const cores = availableParallelism();

/** Preparations share it. */
const decoder = new DecoderProcess(undefined, cores);

const sources = either(filePath, listOf(filePath), 'a path, or an array of paths');

/**
 * Packs pictures for training: decoded once, scaled and cropped to [S, S, 3] as `decodePicture` does, in large files with
 * a checksum for each. `ImageFolder.open(out)` then opens the folder as it opens the one that it was made of, with the
 * same batches, bit for bit, where pictures are kept as pixels.
 *
 * Killed or stopped at any moment and started again, it goes on, and ends with the same bytes. Pictures that cannot be
 * read keep their places, with the reason.
 *
 * @param source a folder of pictures as `ImageFolder.open` takes it; a flat folder and its `labels`; tar archives of class
 * folders, or of pictures beside their classes (`key.jpg`, `key.cls`, as WebDataset has them); or ILSVRC's archives
 * @param out a new folder, or the one in which the same was begun
 * @throws ALEXNET_FOLDER where the source is no such one, or cannot be read now; where `out` holds something else, cannot
 * be written or has no room; ALEXNET_LABEL where a class is not known; ALEXNET_ARGUMENT for an option that cannot be.
 */
export async function preparePictures(
	source: string | readonly string[],
	out: string,
	options: PrepareOptions = {},
): Promise<PreparedReport> {
	const paths = [checked('source', sources, source)].flat();
	checked('out', filePath, out);
	const given = checked('preparePictures', prepareOptions, options);
	return prepareInShards(await openSource(paths, given), out, {...given, picturesPerShard});
}

type PreparationOptions = Checked<typeof prepareOptions> & {picturesPerShard: number};

/** As {@link preparePictures}, with shards of as many pictures as are named. */
export async function prepareInShards(source: Source, out: string, given: PreparationOptions): Promise<PreparedReport> {
	const {as, imageSize, signal, onProgress, picturesPerShard} = given;
	const quality = as === 'raw' ? 0 : given.quality;
	const kind = {
		type: 'alexnet-preparation-1',
		as,
		quality,
		imageSize,
		picturesPerShard,
		source: source.identity,
	} as const;
	let folder: FileHandle | undefined;
	try {
		folder = await takeFolder(out);
		const lists = await beginPreparation(out, kind);
		if (lists.length > 0 || !(await PackedPictures.openWhole(out))) {
			const done = picturesIn(lists);
			if (as === 'raw') await requireRoom(out, (source.total - done) * imageSize * imageSize * 3);
			signal?.throwIfAborted();
			await writeShards(source, out, lists, given);
			await finishIndex(out, source, given, lists);
		}
		await removeShardLists(out);
	} catch (error) {
		if (error instanceof AlexNetError || error === signal?.reason || codeOf(error) === undefined) throw error;
		const message = `Could not write '${out}': ${reasonOf(error)}. Start it again when that is mended: it goes on where it stopped.`;
		throw new AlexNetError('ALEXNET_FOLDER', message, {cause: error});
	} finally {
		await folder?.close();
	}
	onProgress?.(source.total, source.total);
	return reportOf(out, source);
}

/** Adds what it makes to the lists. */
async function writeShards(source: Source, out: string, lists: ShardList[], given: PreparationOptions): Promise<void> {
	const {as, imageSize, signal, onProgress, picturesPerShard} = given;
	let done = picturesIn(lists);
	onProgress?.(done, source.total);
	const quality = as === 'raw' ? undefined : given.quality;
	const stop = signal ?? new AbortController().signal;
	// So many in flight that no core waits while pictures are handed over to the decoding process and back.
	const prepared = mapAhead(source.pictures(done), 8 * cores, async (picture) =>
		preparedOf(picture, {imageSize, quality, signal: stop}),
	);
	try {
		for (let next = await prepared.next(); !next.done;) {
			const shard = lists.length;
			const entries: PackedEntry[] = [];
			let offset = 0;
			await replaceFile(join(out, shardName(shard)), async (path) => {
				const file = await open(path, 'w');
				try {
					for (
						;
						!next.done && entries.length < picturesPerShard && offset < bytesPerShard;
						next = await prepared.next()
					) {
						stop.throwIfAborted();
						const {picture, bytes, kept, reason} = next.value;
						const {part, label, name} = picture;
						const {length} = kept;
						await writeAll(file, kept);
						entries.push({part, label, name, bytes, shard, offset, length, crc: crc32(kept), reason});
						offset += length;
						onProgress?.(++done, source.total);
					}
				} finally {
					await file.close();
				}
			});
			const list = {bytes: offset, entries};
			await writeShardList(out, shard, list);
			lists.push(list);
		}
	} finally {
		await prepared.return();
	}
}

function picturesIn(lists: readonly ShardList[]): number {
	return lists.reduce((sum, {entries}) => sum + entries.length, 0);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
	for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
}

interface Prepared {
	readonly picture: SourcePicture;
	/** Of its file. */
	readonly bytes: number;
	/** Empty where it cannot be read. */
	readonly kept: Uint8Array;
	readonly reason: string;
}

async function preparedOf(
	picture: SourcePicture,
	{signal, ...kind}: {imageSize: number; quality: number | undefined; signal: AbortSignal},
): Promise<Prepared> {
	const {path} = picture;
	let bytes = 0;
	try {
		const file = await withPatience(path, picture.read, {seconds: retrySeconds, signal});
		bytes = file.length;
		const {pixels, suspect = ''} = await decoder.prepare(path, file, kind);
		return {picture, bytes, kept: pixels, reason: suspect};
	} catch (error) {
		if (!(error instanceof PictureError)) throw error;
		return {picture, bytes, kept: new Uint8Array(0), reason: error.reason};
	}
}

async function reportOf(out: string, {remarks}: Source): Promise<PreparedReport> {
	const packed = await PackedPictures.openWhole(out);
	const [unreadable, suspect] = [new Map<string, string>(), new Map<string, string>()];
	if (!packed) throw new AlexNetError('ALEXNET_FOLDER', `'${out}' was changed while pictures were prepared in it.`);
	for await (const {picture, reason} of packed.remarkable()) {
		(packed.index.at(picture.entry).length === 0 ? unreadable : suspect).set(picture.path, reason);
	}
	return {pictures: packed.index.size, unreadable, suspect, remarks};
}
