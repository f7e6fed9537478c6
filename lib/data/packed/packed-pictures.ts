// Prepared pictures: as those of the folder that they were made of, but read from shards.
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {crc32} from 'node:zlib';
import {AlexNetError} from '../../base/errors.ts';
import {codeOf, reasonOf} from '../../base/files.ts';
import {breather} from '../../base/breather.ts';
import {decodeData, type DecodedPicture} from '../decode.ts';
import {PictureError, replaceIt} from '../picture-input.ts';
import type {DecodePicture, Picture} from '../picture-reader.ts';
import {indexName, preparationName, shardName} from './format.ts';
import {PackIndex} from './index-file.ts';
import {requireShards, Shards} from './shards.ts';

const partFolders = ['train', 'val'] as const;

/** A picture of a {@link PackedPictures}. Its path is made when it is asked for: of a million there are none in memory. */
export class PackedPicture implements Picture {
	readonly pictures: PackedPictures;
	/** Its place in the index. */
	readonly entry: number;
	readonly label: number;
	/** The folder of its class. */
	readonly #folder: string;

	constructor(pictures: PackedPictures, entry: number, label: number, folder: string) {
		this.pictures = pictures;
		this.entry = entry;
		this.label = label;
		this.#folder = folder;
	}

	/** Where it would lie, were it a file: it names the picture. */
	get path(): string {
		return join(this.#folder, this.name);
	}

	/** Its path below the folder of its class. */
	get name(): string {
		return this.pictures.index.nameOf(this.entry);
	}

	/** Of the file that it was made of; of a JPEG, whose pixels are others, of that. */
	get bytes(): number {
		const {index} = this.pictures;
		return index.header.as === 'raw' ? index.bytesOf(this.entry) : index.at(this.entry).length;
	}
}

/** A folder that `preparePictures` has made. */
export class PackedPictures {
	readonly index: PackIndex;
	readonly #dir: string;
	readonly #shards: Shards;

	private constructor(dir: string, index: PackIndex) {
		this.index = index;
		this.#dir = dir;
		this.#shards = new Shards(dir);
	}

	/**
	 * @returns undefined where the folder is no such one
	 * @throws ALEXNET_FOLDER where it is, but not whole.
	 */
	static async open(dir: string): Promise<PackedPictures | undefined> {
		return (await this.openWhole(dir)) ?? requireNoBeginning(dir);
	}

	/** As {@link open}; undefined as well where a preparation has not come to its end. */
	static async openWhole(dir: string): Promise<PackedPictures | undefined> {
		const path = join(dir, indexName);
		let index: PackIndex;
		try {
			index = await PackIndex.read(path);
		} catch (error) {
			if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
			if (error instanceof AlexNetError) throw error;
			throw new AlexNetError('ALEXNET_FOLDER', `'${path}' cannot be read: ${reasonOf(error)}.`, {cause: error});
		}
		await requireShards(dir, index.header.shards);
		return new PackedPictures(dir, index);
	}

	/** The pictures of each class of a part. */
	async classesOf(part: number): Promise<readonly (readonly PackedPicture[])[]> {
		const {labels, parts} = this.index.header;
		const starts = this.index.startsOf(part);
		const breathe = breather();
		const classes: PackedPicture[][] = [];
		for (const [label, name] of labels.entries()) {
			const folder = join(this.#dir, parts.length > 1 ? (partFolders[part] ?? '') : '', name);
			const [start = 0, end = 0] = starts.slice(label, label + 2);
			classes.push(Array.from({length: end - start}, (_, at) => new PackedPicture(this, start + at, label, folder)));
			await breathe();
		}
		return classes;
	}

	/** Pictures of which something is told: they could not be read, or are damaged. */
	async *remarkable(): AsyncGenerator<{picture: PackedPicture; reason: string}, void, undefined> {
		for (const part of this.index.header.parts.keys()) {
			for (const picture of (await this.classesOf(part)).flat()) {
				const reason = this.index.reasonOf(picture.entry);
				if (reason !== '') yield {picture, reason};
			}
		}
	}

	/** Reads a picture: into the memory that is given, where it is kept as pixels. */
	async read({entry, path}: PackedPicture, into?: Uint8Array): Promise<DecodedPicture> {
		const {header} = this.index;
		const {shard, offset, length, crc} = this.index.at(entry);
		const reason = this.index.reasonOf(entry);
		if (length === 0) throw new PictureError(path, reason, `${replaceIt} Then prepare the pictures again.`);
		const bytes = into?.length === length && header.as === 'raw' ? into : new Uint8Array(length);
		const found = await this.#shards.read(shard, bytes, offset);
		if (found < length || crc32(bytes) !== crc) {
			const what = found < length ? 'end too early' : 'are not those that were written (their checksum differs)';
			const advice = 'Put the shard back from a copy, or prepare the pictures again, into another folder.';
			throw new PictureError(path, `its bytes in ${join(this.#dir, shardName(shard))} ${what}`, advice);
		}
		const pixels = header.as === 'raw' ? bytes : await decodeJpeg(path, bytes, header.imageSize);
		return {pixels, suspect: reason === '' ? undefined : reason};
	}
}

async function decodeJpeg(name: string, bytes: Uint8Array, imageSize: number): Promise<Uint8Array> {
	return (await decodeData({name, bytes}, imageSize)).pixels;
}

/** As a `Dataset` of such pictures reads them. */
export const decodePacked: DecodePicture = async (path, _, {picture, into}) => {
	if (picture instanceof PackedPicture) return picture.pictures.read(picture, into);
	throw new PictureError(path, 'it is not one of the prepared pictures', 'Take the pictures of one ImageFolder.');
};

async function requireNoBeginning(dir: string): Promise<undefined> {
	const isBegun = await stat(join(dir, preparationName)).then(
		() => true,
		() => false,
	);
	if (!isBegun) return undefined;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`'${dir}' holds a preparation of pictures that has not come to its end. Start it again as it was begun (alexnet ` +
			'prepare): it goes on where it stopped.',
	);
}
