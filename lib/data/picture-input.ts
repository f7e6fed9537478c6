// What a picture can be given as, and how each becomes bytes.
import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {types} from 'node:util';
import * as v from 'valibot';
import {checked, integer, requireLength, oneOf, schemeOf, type Check} from '../base/check.ts';
import {AlexNetError, messageOf} from '../base/errors.ts';
import {codeOf} from '../base/files.ts';
import {isStorageFailure, StorageError} from './storage.ts';

/** Pixels by rows, 0 to 255 in sRGB, channels last. An `ImageData` is one. */
export interface RawPicture {
	/** [height, width, channels] */
	readonly data: Uint8Array | Uint8ClampedArray;
	/** In pixels. */
	readonly width: number;
	/** In pixels. */
	readonly height: number;
	/** Grey, RGB, or RGBA, whose transparency is laid on white. Default 4. */
	readonly channels?: 1 | 3 | 4 | undefined;
}

/** A file's path or file: URL; an encoded picture's bytes; or raw pixels. */
export type PictureInput = string | URL | Uint8Array | ArrayBuffer | Blob | RawPicture;

/** What decoding starts from. `name` is the file's path, where it has one. */
export type PictureData =
	| {readonly name: string | undefined; readonly bytes: Uint8Array; readonly raw?: undefined}
	| {readonly name: undefined; readonly raw: CheckedRaw};

type CheckedRaw = RawPicture & {readonly channels: 1 | 3 | 4};

export const replaceIt = 'Replace the file or remove it.';

/** Of a path, or of what was taken for one, a message shows this many characters at most. */
const mostShown = 200;

/** A picture that cannot be read: which, why and what to do. */
export class PictureError extends AlexNetError {
	/** Why, without the picture's name. */
	readonly reason: string;
	/** What to do. */
	readonly advice: string;

	/** @param name the file's path; undefined where the picture came as bytes */
	constructor(name: string | undefined, reason: string, advice: string, options?: ErrorOptions) {
		const shown = name === undefined ? 'the picture' : `picture '${shortened(name)}'`;
		super('ALEXNET_PICTURE', `Cannot read ${shown}: ${reason}. ${advice}`, options);
		this.reason = reason;
		this.advice = advice;
	}
}

const pictureInput: Check<PictureInput> = v.custom<PictureInput>(
	isPictureInput,
	"a file's path or file: URL, an encoded picture's bytes (Uint8Array, ArrayBuffer or Blob), or raw pixels " +
		'{data, width, height, channels} with data a Uint8Array or Uint8ClampedArray',
);

function isPictureInput(value: unknown): boolean {
	if (typeof value === 'string' || types.isUint8Array(value) || types.isArrayBuffer(value)) return true;
	if (value instanceof URL || value instanceof Blob) return true;
	if (typeof value !== 'object' || value === null || !('data' in value)) return false;
	return types.isUint8Array(value.data) || types.isUint8ClampedArray(value.data);
}

/**
 * @throws ALEXNET_ARGUMENT for what is no picture, ALEXNET_SHAPE for raw pixels that are not as many as their size says;
 * otherwise as {@link readPicture}.
 */
export async function readInput(value: PictureInput): Promise<PictureData> {
	const input = checked('A picture', pictureInput, value);
	if (typeof input === 'string' || input instanceof URL) return readPicture(pathOf(input));
	if (types.isUint8Array(input)) return {name: undefined, bytes: asBuffer(input)};
	if (types.isArrayBuffer(input)) return {name: undefined, bytes: Buffer.from(input)};
	if (input instanceof Blob) return readBlob(input);
	return {name: undefined, raw: checkRaw(input)};
}

function pathOf(input: string | URL): string {
	const text = String(input);
	const scheme = schemeOf(text) ?? '';
	if (input instanceof URL && input.protocol === 'file:') {
		try {
			return fileURLToPath(input);
		} catch (error) {
			throw new AlexNetError(
				'ALEXNET_ARGUMENT',
				`A picture's file: URL must name a file here: ${firstLineOf(error)}.`,
				{
					cause: error,
				},
			);
		}
	}
	if (!(input instanceof URL) && scheme === '' && !text.includes('\0')) return text;
	const what =
		input instanceof URL ? `a URL that begins with ${input.protocol}` : `a string that begins with '${scheme}'`;
	throw new AlexNetError(
		'ALEXNET_ARGUMENT',
		`A picture must be a file's path or file: URL, got ${scheme || input instanceof URL ? what : 'a string with zero bytes'}. ` +
			(scheme === 'file://' ? 'Pass new URL(…).' : "Pass the picture's bytes, as a Uint8Array or Blob."),
	);
}

/** @throws ALEXNET_PICTURE where it is no file that can be read, {@link StorageError} where its storage fails. */
export async function readPicture(name: string): Promise<{readonly name: string; readonly bytes: Uint8Array}> {
	try {
		return {name, bytes: await readFile(name)};
	} catch (error) {
		const code = codeOf(error);
		// Whether it was there a moment ago, so that its storage may be away, only a list of pictures can know.
		if (code === 'ENOENT') throw new PictureError(name, 'there is no such file', 'Check the path.', {cause: error});
		if (code === 'EISDIR') throw new PictureError(name, 'it is a folder', 'Name a picture file.', {cause: error});
		if (code === 'ENAMETOOLONG')
			throw new PictureError(name, 'the name is too long', 'Check the path.', {cause: error});
		if (await isStorageFailure(name, error)) throw new StorageError(name, 0, error);
		throw new PictureError(name, firstLineOf(error), replaceIt, {cause: error});
	}
}

async function readBlob(blob: Blob): Promise<PictureData> {
	try {
		return {name: undefined, bytes: new Uint8Array(await blob.arrayBuffer())};
	} catch (error) {
		throw new PictureError(undefined, `its Blob cannot be read (${firstLineOf(error)})`, 'Pass its bytes.', {
			cause: error,
		});
	}
}

function checkRaw({data, width, height, channels = 4}: RawPicture): CheckedRaw {
	checked("A raw picture's width", integer(1), width);
	checked("A raw picture's height", integer(1), height);
	checked("A raw picture's channels", oneOf([1, 3, 4]), channels);
	const size = `${height} x ${width} x ${channels}`;
	requireLength(`A raw picture's data of height x width x channels = ${size}`, data.length, height * width * channels);
	return {data: asBuffer(data), width, height, channels};
}

/** A view of this realm: sharp takes no other's. */
function asBuffer({buffer, byteOffset, byteLength}: Uint8Array | Uint8ClampedArray): Buffer {
	return Buffer.from(buffer, byteOffset, byteLength);
}

function shortened(name: string): string {
	return name.length <= mostShown ? name : `${name.slice(0, mostShown / 4)}…${name.slice((-mostShown * 3) / 4)}`;
}

/** libvips reports one problem several times over, a line each: the first line says it. */
export function firstLineOf(error: unknown): string {
	return messageOf(error).split('\n', 1)[0] ?? '';
}
