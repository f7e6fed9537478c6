// Archives as streams: nothing of them is unpacked to a disk, nor held in memory but for one file.
import {createReadStream} from 'node:fs';
import {open} from 'node:fs/promises';
import type {Readable} from 'node:stream';
import {createGunzip} from 'node:zlib';
import type {Entry} from 'tar-stream';
import {AlexNetError} from '../../base/errors.ts';
import {codeOf, reasonOf} from '../../base/files.ts';

type Extract = typeof import('tar-stream').extract;

export interface TarFile {
	/** With '/', without './' before it. */
	readonly name: string;
	readonly size: number;
	/** Its bytes; to be asked for before the next file is. */
	readonly read: () => Promise<Buffer>;
	/** The same as an archive's: its files. */
	readonly files: () => AsyncGenerator<TarFile, void, void>;
}

/**
 * The files of an archive, compressed by gzip or not, in its order.
 *
 * @throws ALEXNET_FOLDER where it is not there, is no archive, or ends too early.
 */
export async function* tarFiles(path: string): AsyncGenerator<TarFile, void, void> {
	let isZipped: boolean;
	try {
		isZipped = await beginsWithGzip(path);
	} catch (error) {
		throw unreadable(path, error);
	}
	const {extract} = await import('tar-stream'); // who opens no archive needs none of it; some bundles cannot load it
	const bytes = createReadStream(path, {highWaterMark: 2 ** 20});
	if (!isZipped) return yield* filesIn(extract, bytes, path);
	const unzipped = createGunzip();
	bytes.on('error', (error) => unzipped.destroy(error));
	yield* filesIn(extract, bytes.pipe(unzipped), path);
}

async function* filesIn(
	extract: Extract,
	archive: Readable | Entry,
	path: string,
): AsyncGenerator<TarFile, void, void> {
	const entries = extract();
	archive.on('error', (error) => entries.destroy(error));
	archive.pipe(entries);
	try {
		for await (const entry of entries) {
			const {name, size = 0, type} = entry.header;
			if (type === 'file' || type === 'contiguous-file') {
				const read = async (): Promise<Buffer> => {
					const chunks: Buffer[] = [];
					try {
						for await (const chunk of entry) chunks.push(chunk);
					} catch (error) {
						throw unreadable(path, error);
					}
					return Buffer.concat(chunks);
				};
				yield {
					name: name.replace(/^(\.?\/)+/, ''),
					size,
					read,
					files: () => filesIn(extract, entry, `${path}/${name}`),
				};
			}
			entry.resume();
		}
	} catch (error) {
		throw unreadable(path, error);
	} finally {
		archive.destroy();
	}
}

function unreadable(path: string, error: unknown): AlexNetError {
	if (error instanceof AlexNetError) return error;
	const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : reasonOf(error);
	const advice = 'Expected a whole tar archive, compressed by gzip or not; download it again if it is damaged.';
	return new AlexNetError('ALEXNET_FOLDER', `The archive '${path}' cannot be read: ${why}. ${advice}`, {cause: error});
}

async function beginsWithGzip(path: string): Promise<boolean> {
	const file = await open(path);
	try {
		const {buffer, bytesRead} = await file.read(Buffer.alloc(2), 0, 2, 0);
		return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b;
	} finally {
		await file.close();
	}
}
