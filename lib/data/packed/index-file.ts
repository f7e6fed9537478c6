// The index of a folder of prepared pictures:
//
//   8 bytes 'ALEXPACK', 4 bytes: length of the header, the header (JSON, filled up with blanks to a multiple of 4 bytes)
//   for each picture, column by column, 4 bytes: shard, offset, length, CRC-32, bytes of its file, ends of name and reason
//   names and reasons, one after the other
//   32 bytes: SHA-256 of all before
//
// Numbers are whole, below 2^32, little endian. Pictures are in the order of the header's counts: part, class, name.
import {createHash} from 'node:crypto';
import {open} from 'node:fs/promises';
import {checked} from '../../base/check.ts';
import {reasonOf, replaceFile} from '../../base/files.ts';
import {parseShallow} from '../../base/json.ts';
import {damaged, headerCheck, type PackedEntry, type PackHeader} from './format.ts';

const magic = 'ALEXPACK';
const digestBytes = 32;
/** Read and hashed at once: a few milliseconds of work. */
const chunkBytes = 4 * 2 ** 20;

const columns = ['shard', 'offset', 'length', 'crc', 'bytes', 'nameEnd', 'reasonEnd'] as const;
type Columns = Readonly<Record<(typeof columns)[number], Uint32Array>>;

/** Which pictures there are, and where. Takes as much memory as the file has bytes, some 60 a picture. */
export class PackIndex {
	readonly header: PackHeader;
	readonly #columns: Columns;
	readonly #text: Buffer;

	private constructor(header: PackHeader, columns: Columns, text: Buffer) {
		this.header = header;
		this.#columns = columns;
		this.#text = text;
	}

	/** @throws ALEXNET_FOLDER where any of its bits is not as it was written; what the system says where it cannot be read. */
	static async read(path: string): Promise<PackIndex> {
		const bytes = await readHashed(path);
		if (bytes.toString('latin1', 0, magic.length) !== magic) throw damaged(path, 'it is no index');
		const start = magic.length + 4 + bytes.readUInt32LE(magic.length);
		let header: PackHeader;
		try {
			const json = parseShallow(bytes.toString('utf8', magic.length + 4, start));
			header = checked('The header', headerCheck, json, 'ALEXNET_FOLDER');
		} catch (error) {
			throw damaged(path, `its header cannot be read, perhaps being of a newer version (${reasonOf(error)})`);
		}
		const size = header.parts.flat().reduce((sum, pictures) => sum + pictures, 0);
		const textStart = start + columns.length * 4 * size;
		if (start % 4 !== 0 || textStart > bytes.length) throw damaged(path, 'it is too short');
		const column = (place: number): Uint32Array =>
			new Uint32Array(bytes.buffer, bytes.byteOffset + start + place * 4 * size, size);
		const all = Object.fromEntries(columns.map((name, place) => [name, column(place)])) as Columns;
		return new PackIndex(header, all, bytes.subarray(textStart));
	}

	/** Number of pictures. */
	get size(): number {
		return this.#columns.shard.length;
	}

	/** Places of the first picture of each class of a part, and behind the last. */
	startsOf(part: number): readonly number[] {
		const {parts} = this.header;
		let start = parts.slice(0, part).reduce((sum, counts) => counts.reduce((all, count) => all + count, sum), 0);
		return [start, ...(parts[part] ?? []).map((count) => (start += count))];
	}

	/** Where a picture lies. */
	at(entry: number): Pick<PackedEntry, 'shard' | 'offset' | 'length' | 'crc'> {
		const {shard, offset, length, crc} = this.#columns;
		return {
			shard: shard[entry] ?? 0,
			offset: offset[entry] ?? 0,
			length: length[entry] ?? 0,
			crc: crc[entry] ?? 0,
		};
	}

	/** Bytes of the file that a picture was made of. */
	bytesOf(entry: number): number {
		return this.#columns.bytes[entry] ?? 0;
	}

	/** A picture's path below the folder of its class. */
	nameOf(entry: number): string {
		const {nameEnd, reasonEnd} = this.#columns;
		return this.#text.toString('utf8', reasonEnd[entry - 1] ?? 0, nameEnd[entry]);
	}

	/** Why a picture could not be read, or what is known of damage in it; mostly empty. */
	reasonOf(entry: number): string {
		const {nameEnd, reasonEnd} = this.#columns;
		return this.#text.toString('utf8', nameEnd[entry], reasonEnd[entry]);
	}
}

/** All but the digest, in memory of its own, aligned. */
async function readHashed(path: string): Promise<Buffer> {
	const file = await open(path);
	try {
		const {size} = await file.stat();
		if (size < magic.length + 4 + digestBytes) throw damaged(path, 'it is cut short');
		const bytes = Buffer.from(new ArrayBuffer(size));
		const hash = createHash('sha256');
		const end = size - digestBytes;
		for (let done = 0; done < size;) {
			const {bytesRead} = await file.read(bytes, done, Math.min(chunkBytes, size - done), done);
			if (bytesRead === 0) throw damaged(path, 'it is cut short');
			hash.update(bytes.subarray(done, Math.min(end, done + bytesRead)));
			done += bytesRead;
		}
		if (hash.digest().equals(bytes.subarray(end))) return bytes.subarray(0, end);
		throw damaged(path, 'its checksum is not that of its contents');
	} finally {
		await file.close();
	}
}

/** @param entries in the order of the header's counts */
export async function writeIndex(path: string, header: PackHeader, entries: readonly PackedEntry[]): Promise<void> {
	const json = JSON.stringify(header);
	const blanks = ' '.repeat((4 - (Buffer.byteLength(json) % 4)) % 4);
	const head = Buffer.from(`${magic}0000${json}${blanks}`);
	head.writeUInt32LE(head.length - magic.length - 4, magic.length);
	const text: Buffer[] = [];
	const all = Object.fromEntries(columns.map((name) => [name, new Uint32Array(entries.length)])) as Columns;
	let end = 0;
	entries.forEach((entry, place) => {
		for (const name of ['shard', 'offset', 'length', 'crc', 'bytes'] as const) all[name][place] = entry[name];
		const [name, reason] = [Buffer.from(entry.name), Buffer.from(entry.reason)];
		all.nameEnd[place] = end += name.length;
		all.reasonEnd[place] = end += reason.length;
		text.push(name, reason);
	});
	await replaceFile(path, async (temporary) => {
		const file = await open(temporary, 'w');
		const hash = createHash('sha256');
		try {
			const parts = [head, ...columns.map((name) => Buffer.from(all[name].buffer)), Buffer.concat(text)];
			for (const part of parts) {
				for (let done = 0; done < part.length; done += chunkBytes) {
					const chunk = part.subarray(done, done + chunkBytes);
					hash.update(chunk);
					await file.writeFile(chunk);
				}
			}
			await file.writeFile(hash.digest());
		} finally {
			await file.close();
		}
	});
}
