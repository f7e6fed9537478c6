import {readFile} from 'node:fs/promises';
import sharp from 'sharp';
import {requireInteger} from '../check.ts';
import {AlexNetError} from '../errors.ts';
import {isCutShort, pictureFormat} from './truncation.ts';

// Pictures run beside each other on libuv's threads, so one thread per picture is enough; and no picture is decoded
// twice in a row, so libvips' cache of operations would only hold memory. Both settings are the process's.
sharp.concurrency(1);
sharp.cache(false);

/** The side that the paper scales pictures to (section 2). */
export const defaultImageSize = 256;

/** What a picture can be given as: a file's path, or an encoded picture's bytes. */
export type PictureInput = string | Uint8Array;

const maximumPixels = 2 ** 28;

const replaceIt = 'Replace the file or remove it.';
const convertIt = 'Convert it to JPEG or PNG.';

/** A picture that cannot be read: which, why and what to do. */
export class PictureError extends AlexNetError {
	/** Why, without the picture's name. */
	readonly reason: string;

	constructor(source: PictureInput, reason: string, advice: string, options?: ErrorOptions) {
		const name = typeof source === 'string' ? `picture '${source}'` : 'the picture';
		super('ALEXNET_PICTURE', `Cannot read ${name}: ${reason}. ${advice}`, options);
		this.reason = reason;
	}
}

/**
 * Decodes a JPEG, PNG, WebP, GIF or TIFF picture (a file's path or its bytes) to RGB, 0 to 255, [S, S, 3] with
 * S = imageSize, as the paper prepares its pictures: the short side scaled to S, then the centre S x S (section 2).
 *
 * The orientation in the EXIF data is applied, transparency lies on white, the first frame or page counts, and grey,
 * palette, CMYK and 16-bit pictures and embedded colour profiles become 8-bit sRGB. Scaling is bicubic (Catmull-Rom),
 * widened when it shrinks; a JPEG or WebP several times too large is first shrunk by a whole factor while it is read, to
 * no less than twice the size.
 *
 * Runs off the main thread. Leave the bytes as they are until the promise has settled.
 *
 * @throws ALEXNET_PICTURE where the picture cannot be read or is cut short; the message names it and says why. Damage
 * that the decoder can step over, such as stray bytes between markers, is accepted.
 */
export async function decodePicture(source: PictureInput, imageSize = defaultImageSize): Promise<Uint8Array> {
	requireInteger('imageSize', imageSize, 1);
	const bytes = typeof source === 'string' ? await readPicture(source) : source;
	checkWhole(source, bytes);
	let pixels: Uint8Array;
	try {
		// failOn 'error' refuses truncated and undecodable data but not the warnings that real photographs are full of.
		pixels = await sharp(bytes, {failOn: 'error', limitInputPixels: maximumPixels, autoOrient: true})
			.flatten({background: '#ffffff'})
			.resize(imageSize, imageSize, {fit: 'cover', position: 'centre', kernel: 'cubic', fastShrinkOnLoad: false})
			.toColourspace('srgb')
			.raw({depth: 'uchar'})
			.toBuffer();
	} catch (error) {
		throw decodingError(source, error);
	}
	const expected = imageSize * imageSize * 3;
	if (pixels.length !== expected) {
		throw new PictureError(source, `it decodes to ${pixels.length} bytes instead of ${expected}`, convertIt);
	}
	return pixels;
}

async function readPicture(path: string): Promise<Uint8Array> {
	try {
		return await readFile(path);
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? error.code : undefined;
		if (code === 'ENOENT') throw new PictureError(path, 'there is no such file', 'Check the path.', {cause: error});
		if (code === 'EISDIR') throw new PictureError(path, 'it is a folder', 'Name a picture file.', {cause: error});
		if (code === 'EACCES') throw new PictureError(path, 'reading it is not permitted', replaceIt, {cause: error});
		throw new PictureError(path, messageOf(error), replaceIt, {cause: error});
	}
}

function checkWhole(source: PictureInput, bytes: Uint8Array): void {
	if (bytes.length === 0) throw new PictureError(source, 'it is empty (0 bytes)', replaceIt);
	const format = pictureFormat(bytes);
	if (!format) throw new PictureError(source, 'it is not a JPEG, PNG, WebP, GIF or TIFF picture', convertIt);
	if (isCutShort(bytes, format)) {
		throw new PictureError(source, `the ${format} data is cut short after ${bytes.length} bytes`, replaceIt);
	}
}

function decodingError(source: PictureInput, error: unknown): PictureError {
	const message = messageOf(error);
	if (message.includes('exceeds pixel limit')) {
		const reason = `it has more than ${Math.floor(maximumPixels / 1e6)} million pixels`;
		return new PictureError(source, reason, 'Scale it down first.', {cause: error});
	}
	return new PictureError(source, `it is damaged (${message})`, replaceIt, {cause: error});
}

/** libvips reports one problem several times over, a line each: the first line says it. */
function messageOf(error: unknown): string {
	return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
