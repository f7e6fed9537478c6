// The safetensors format: eight bytes with the header's length, a JSON header, then the tensors one after the other.
import {open, type FileHandle} from 'node:fs/promises';
import {AlexNetError} from '../base/errors.ts';
import {reasonOf} from '../base/files.ts';
import {allFinite} from '../base/finite.ts';
import {elementsOf} from '../device/memory.ts';
import type {Shape} from '../device/tensor.ts';
import {bytesOf, writeWhole} from './write-whole.ts';
import {longestHeader, parseHeader, requireNoHoles, type HeaderEntry, type Metadata} from './safetensors-header.ts';

/** A tensor of fp32 to be written; `read` is called once, when its turn comes. */
export interface OutgoingTensor {
	readonly name: string;
	readonly shape: Shape;
	read(): Promise<Float32Array>;
}

/** Read and checked at once, while the next are read: about a millisecond's worth. */
const bytesAtOnce = 2 ** 22;

/**
 * Writes a file as a whole: into a temporary file beside it, synced, then renamed, so that `path` is always either the
 * old file or the new one.
 */
export async function writeSafetensors(
	path: string,
	tensors: readonly OutgoingTensor[],
	metadata: Metadata,
): Promise<void> {
	await writeWhole(path, async (write) => {
		await write(header(tensors, metadata));
		for (const tensor of tensors) await write(bytesOf(await tensor.read()));
	});
}

function header(tensors: readonly OutgoingTensor[], metadata: Metadata): Uint8Array {
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
	if (text.length > longestHeader)
		throw new Error(`its header would have ${text.length} bytes, too many to be read again`);
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(text.length));
	return Buffer.concat([length, text]);
}

/** Refuses bytes that are no UTF-8, where Buffer would put another character. */
const decoder = new TextDecoder('utf-8', {fatal: true});

/** A file of tensors, open for reading. */
export class SafetensorsFile {
	readonly metadata: Metadata;
	readonly #path: string;
	readonly #file: FileHandle;
	readonly #entries: ReadonlyMap<string, HeaderEntry>;
	readonly #dataStart: number;

	private constructor(path: string, file: FileHandle, header: string, dataStart: number, fileBytes: number) {
		this.#path = path;
		this.#file = file;
		this.#dataStart = dataStart;
		const {metadata, entries} = parseHeader(header);
		requireNoHoles(entries, fileBytes - dataStart);
		this.metadata = metadata;
		this.#entries = entries;
	}

	/** @throws ALEXNET_CHECKPOINT where the file is missing, cut short, or no safetensors file of fp32. */
	static async open(path: string): Promise<SafetensorsFile> {
		let file: FileHandle | undefined;
		try {
			file = await open(path, 'r');
			const {size} = await file.stat();
			const length = Buffer.alloc(8);
			if ((await file.read(length, 0, 8, 0)).bytesRead < 8) throw new Error('it is too short');
			const headerBytes = Number(length.readBigUInt64LE());
			if (headerBytes > Math.min(size - 8, longestHeader)) throw new Error('it is no safetensors file, or cut short');
			const header = Buffer.alloc(headerBytes);
			await file.read(header, 0, headerBytes, 8);
			return new SafetensorsFile(path, file, decoder.decode(header), 8 + headerBytes, size);
		} catch (error) {
			await file?.close();
			throw new AlexNetError('ALEXNET_CHECKPOINT', `Could not read ${path}: ${reasonOf(error)}.`, {cause: error});
		}
	}

	/** The shape of a tensor, where the file has it. */
	shapeOf(name: string): Shape | undefined {
		return this.#entries.get(name)?.shape;
	}

	/** @throws ALEXNET_CHECKPOINT where the file has no such tensor of this shape. */
	require(name: string, shape: Shape): void {
		this.#find(name, shape);
	}

	/**
	 * Reads a tensor of fp32 that must have this shape, into the front of `into` where that is given.
	 *
	 * @throws ALEXNET_CHECKPOINT where it has another or is missing, and where a value is no finite number.
	 */
	async read(
		name: string,
		shape: Shape,
		into = new Float32Array(elementsOf(shape)),
	): Promise<Float32Array<ArrayBuffer>> {
		const position = this.#dataStart + this.#find(name, shape).data_offsets[0];
		const values = into.subarray(0, elementsOf(shape));
		const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
		const requireFinite = (from: number, to: number): void => {
			if (allFinite(values.subarray(Math.floor(from / 4), Math.floor(to / 4)))) return;
			const message = `${this.#path} is damaged: ${name} has values that are no finite numbers.`;
			throw new AlexNetError('ALEXNET_CHECKPOINT', message);
		};
		let [checkedTo, done] = [0, 0];
		while (done < bytes.length) {
			const reading = this.#file.read(bytes, done, Math.min(bytesAtOnce, bytes.length - done), position + done);
			requireFinite(checkedTo, done);
			checkedTo = done;
			const {bytesRead} = await reading;
			if (bytesRead === 0) throw new AlexNetError('ALEXNET_CHECKPOINT', `${this.#path} ended inside ${name}.`);
			done += bytesRead;
		}
		requireFinite(checkedTo, done);
		return values;
	}

	#find(name: string, shape: Shape): HeaderEntry {
		const entry = this.#entries.get(name);
		if (entry?.shape.join() === shape.join()) return entry;
		const found = entry ? `${entry.dtype} [${entry.shape.join(', ')}]` : 'nothing';
		throw new AlexNetError(
			'ALEXNET_CHECKPOINT',
			`${this.#path}: expected ${name} as F32 [${shape.join(', ')}], found ${found}.`,
		);
	}

	async close(): Promise<void> {
		await this.#file.close();
	}
}
