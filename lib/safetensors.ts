// The safetensors format: eight bytes with the header's length, a JSON header, then the tensors one after the other.
import {open, type FileHandle} from 'node:fs/promises';
import {AlexNetError} from './errors.ts';
import {reasonOf, replaceFile} from './files.ts';
import {elementsOf} from './memory.ts';
import type {Shape} from './native.ts';

/** A tensor of fp32 to be written; `read` is called once, when its turn comes. */
export interface OutgoingTensor {
	readonly name: string;
	readonly shape: Shape;
	read(): Promise<Float32Array>;
}

interface HeaderEntry {
	dtype: string;
	shape: number[];
	data_offsets: [number, number];
}

/** No header of ours comes near this; a longer one means another kind of file. */
const longestHeader = 100_000_000;

/**
 * Writes a file as a whole: into a temporary file beside it, synced, then renamed, so that `path` is always either the
 * old file or the new one.
 */
export async function writeSafetensors(
	path: string,
	tensors: readonly OutgoingTensor[],
	metadata: Readonly<Record<string, string>>,
): Promise<void> {
	try {
		await replaceFile(path, async (temporary) => {
			const file = await open(temporary, 'w');
			try {
				await writeAll(file, header(tensors, metadata));
				for (const tensor of tensors) {
					const values = await tensor.read();
					await writeAll(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
				}
			} finally {
				await file.close();
			}
		});
	} catch (error) {
		if (error instanceof AlexNetError) throw error;
		throw new AlexNetError(
			'ALEXNET_CHECKPOINT',
			`Could not write ${path}: ${reasonOf(error)}. What stood there before is untouched.`,
			{cause: error},
		);
	}
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
	for (let done = 0; done < bytes.length;) {
		done += (await file.write(bytes, done)).bytesWritten;
	}
}

function header(tensors: readonly OutgoingTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
	const entries: Record<string, unknown> = {__metadata__: metadata};
	let offset = 0;
	for (const {name, shape} of tensors) {
		const end = offset + elementsOf(shape) * 4;
		entries[name] = {dtype: 'F32', shape, data_offsets: [offset, end]} satisfies Record<keyof HeaderEntry, unknown>;
		offset = end;
	}
	let json = JSON.stringify(entries);
	// Tensors start at a multiple of eight bytes.
	json = json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8));
	const text = Buffer.from(json);
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(text.length));
	return Buffer.concat([length, text]);
}

/** A file of tensors, open for reading. */
export class SafetensorsFile {
	readonly metadata: Readonly<Record<string, string>>;
	readonly #path: string;
	readonly #file: FileHandle;
	readonly #entries: ReadonlyMap<string, HeaderEntry>;
	readonly #dataStart: number;

	private constructor(path: string, file: FileHandle, text: string, dataStart: number, fileBytes: number) {
		this.#path = path;
		this.#file = file;
		this.#dataStart = dataStart;
		const parsed = JSON.parse(text) as Record<string, HeaderEntry> & {__metadata__?: Record<string, string>};
		const {__metadata__: metadata = {}, ...entries} = parsed;
		this.metadata = metadata;
		this.#entries = new Map(Object.entries(entries));
		const end = Math.max(0, ...Object.values(entries).map((entry) => entry.data_offsets[1]));
		if (dataStart + end > fileBytes) {
			throw new Error(`it should have ${dataStart + end} bytes and has ${fileBytes}: it was cut short`);
		}
	}

	/** @throws ALEXNET_CHECKPOINT where the file is missing, cut short, or no safetensors file. */
	static async open(path: string): Promise<SafetensorsFile> {
		let file: FileHandle | undefined;
		try {
			file = await open(path, 'r');
			const {size} = await file.stat();
			const length = Buffer.alloc(8);
			if ((await file.read(length, 0, 8, 0)).bytesRead < 8) throw new Error('it is too short');
			const headerBytes = Number(length.readBigUInt64LE());
			if (headerBytes > Math.min(size - 8, longestHeader)) throw new Error('it is no safetensors file, or cut short');
			const text = Buffer.alloc(headerBytes);
			await file.read(text, 0, headerBytes, 8);
			return new SafetensorsFile(path, file, text.toString('utf8'), 8 + headerBytes, size);
		} catch (error) {
			await file?.close();
			throw new AlexNetError('ALEXNET_CHECKPOINT', `Could not read ${path}: ${reasonOf(error)}.`, {cause: error});
		}
	}

	/** Reads a tensor of fp32 that must have this shape. */
	async read(name: string, shape: Shape): Promise<Float32Array<ArrayBuffer>> {
		const entry = this.#entries.get(name);
		const found = entry ? `${entry.dtype} [${entry.shape.join(', ')}]` : 'nothing';
		if (entry?.dtype !== 'F32' || entry.shape.join() !== shape.join()) {
			throw new AlexNetError(
				'ALEXNET_CHECKPOINT',
				`${this.#path}: expected ${name} as F32 [${shape.join(', ')}], found ${found}.`,
			);
		}
		const values = new Float32Array(elementsOf(shape));
		const bytes = new Uint8Array(values.buffer);
		for (let done = 0; done < bytes.length;) {
			const position = this.#dataStart + entry.data_offsets[0] + done;
			const {bytesRead} = await this.#file.read(bytes, done, bytes.length - done, position);
			if (bytesRead === 0) throw new AlexNetError('ALEXNET_CHECKPOINT', `${this.#path} ended inside ${name}.`);
			done += bytesRead;
		}
		return values;
	}

	async close(): Promise<void> {
		await this.#file.close();
	}
}
