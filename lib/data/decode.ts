import sharp, {type Sharp, type SharpOptions} from 'sharp';
import {checked} from '../base/check.ts';
import {damageOf} from './damage.ts';
import {continuedJpeg} from './jpeg-continued.ts';
import {PictureError, firstLineOf, readInput, replaceIt, type PictureData, type PictureInput} from './picture-input.ts';
import {asBuffer, isCutShort, onlyScanOf, pictureFormat, type PictureFormat} from './truncation.ts';
import {imageSize as sideOption} from './views.ts';

export {PictureError, type PictureInput};

/** A picture as a net takes it. */
export interface DecodedPicture {
	/** RGB, 0 to 255, [S, S, 3] */
	readonly pixels: Uint8Array;
	/** Where the decoder has stepped over damage, so that the picture may show something else: what it says. */
	readonly suspect?: string | undefined;
}

const maximumPixels = 2 ** 28;

const convertIt = 'Convert it to JPEG or PNG.';

/** About what is written in a JPEG's header, not about its picture. */
const harmlessWarning = /Adobe color transform|JFIF revision/;

/** So many bytes some cameras add to a JPEG's data; the picture is whole. */
const harmlessBytes = 4;

/**
 * Decodes a JPEG, PNG, WebP, GIF or TIFF picture (a file's path or file: URL, or its bytes), or raw pixels, to RGB, 0 to
 * 255, [S, S, 3] with S = imageSize, as the paper prepares its pictures: the short side scaled to S, then the centre
 * S x S (section 2).
 *
 * The orientation in the EXIF data is applied, transparency lies on white, the first frame or page counts, and grey,
 * palette, CMYK and 16-bit pictures and embedded colour profiles become 8-bit sRGB. Scaling is bicubic (Catmull-Rom),
 * widened when it shrinks; a JPEG or WebP several times too large is first shrunk by a whole factor while it is read, to
 * no less than twice the size.
 *
 * Runs off the main thread. Leave the bytes as they are until the promise has settled.
 *
 * @throws ALEXNET_PICTURE where the picture cannot be read, is cut short, or has samples of another kind than whole
 * numbers from 0 with 8 or 16 bits; the message names it and says why. ALEXNET_ARGUMENT for what is no
 * {@link PictureInput}, ALEXNET_SHAPE for raw pixels that are not as many as their size says; ALEXNET_FOLDER where the
 * file's storage fails, which says nothing of the picture.
 */
export async function decodePicture(source: PictureInput, imageSize = sideOption.default): Promise<Uint8Array> {
	checked('imageSize', sideOption, imageSize);
	return (await decodeData(await readInput(source), imageSize)).pixels;
}

/**
 * As {@link decodePicture}, of what has been read, and says where damage was noticed. This takes longer, a JPEG's data
 * being decoded once more (4 to 6 ms beside 6, of 60 KiB): for the first time.
 */
export async function inspectData(data: PictureData, imageSize: number): Promise<DecodedPicture> {
	const decoded = await decodeData(data, imageSize);
	if (data.raw || decoded.suspect !== undefined) return decoded;
	const suspect = damageOf(data.bytes);
	if (suspect !== undefined) return {...decoded, suspect};
	if (await endsWithLastRow(asBuffer(data.bytes))) return decoded;
	return {...decoded, suspect: 'it is damaged (its coded data is longer or shorter than its rows are)'};
}

/** As {@link inspectData}; where a quality is named, a JPEG of the pixels in their place. */
export async function prepareData(data: PictureData, imageSize: number, quality?: number): Promise<DecodedPicture> {
	const decoded = await inspectData(data, imageSize);
	if (quality === undefined) return decoded;
	const raw = {width: imageSize, height: imageSize, channels: 3} as const;
	return {...decoded, pixels: await sharp(decoded.pixels, {raw}).jpeg({quality}).toBuffer()};
}

/** As {@link inspectData}, but of what only the decoder notices by itself. */
export async function decodeData(data: PictureData, imageSize: number): Promise<DecodedPicture> {
	if (data.raw) return {pixels: await scaled(data, imageSize, sharp(data.raw.data, {raw: data.raw, ...limits}))};
	const {name} = data;
	const format = formatOf(name, data.bytes);
	const bytes = isCutShort(data.bytes, format) ? await withEnd(name, data.bytes, format) : data.bytes;
	if (format === 'TIFF') await requireKnownScale(name, bytes);
	const decode = (failOn: 'warning' | 'error'): Promise<Uint8Array> =>
		scaled(data, imageSize, sharp(bytes, {failOn, autoOrient: true, ...limits}));
	// Of JPEG's warnings nearly all are about damage; other formats warn of unknown tags and old profiles.
	if (format !== 'JPEG') return {pixels: await decode('error')};
	try {
		return {pixels: await decode('warning')};
	} catch (warning) {
		const pixels = await decode('error');
		const reason = warning instanceof PictureError ? warning.reason : '';
		return harmlessWarning.test(reason) ? {pixels} : {pixels, suspect: reason};
	}
}

/** Whether a JPEG's data is as long as its rows; true as well for what cannot be told. */
async function endsWithLastRow(bytes: Buffer): Promise<boolean> {
	if (pictureFormat(bytes) !== 'JPEG') return true;
	// Tried rather than read from the warning: libvips's messages of pictures beside each other run together.
	for (let added = 0; added <= harmlessBytes; added++) {
		const continued = continuedJpeg(bytes, added);
		if (!continued || (await decodesWithoutWarning(continued))) return true;
	}
	return false;
}

async function decodesWithoutWarning(jpeg: Buffer): Promise<boolean> {
	try {
		// A single pixel: read at an eighth of the size.
		await sharp(jpeg, {failOn: 'warning', limitInputPixels: false}).resize(1, 1, {fit: 'fill'}).raw().toBuffer();
		return true;
	} catch (warning) {
		return harmlessWarning.test(firstLineOf(warning));
	}
}

const limits: SharpOptions = {limitInputPixels: maximumPixels};

async function scaled({name}: PictureData, imageSize: number, picture: Sharp): Promise<Uint8Array> {
	let pixels: Uint8Array;
	try {
		pixels = await picture
			.flatten({background: '#ffffff'})
			.resize(imageSize, imageSize, {fit: 'cover', position: 'centre', kernel: 'cubic', fastShrinkOnLoad: false})
			.toColourspace('srgb')
			.raw({depth: 'uchar'})
			.toBuffer();
	} catch (error) {
		throw decodingError(name, error);
	}
	const expected = imageSize * imageSize * 3;
	if (pixels.length === expected) return pixels;
	throw new PictureError(name, `it decodes to ${pixels.length} bytes instead of ${expected}`, convertIt);
}

function formatOf(name: string | undefined, bytes: Uint8Array): PictureFormat {
	if (bytes.length === 0) throw new PictureError(name, 'it is empty (0 bytes)', replaceIt);
	const format = pictureFormat(bytes);
	if (!format) throw new PictureError(name, 'it is not a JPEG, PNG, WebP, GIF or TIFF picture', convertIt);
	return format;
}

/**
 * A JPEG whose end marker alone is missing gets one: nothing is lost where the decoder then finds all rows in the data,
 * without a warning. (It would not warn of scans that are missing altogether.)
 */
async function withEnd(name: string | undefined, bytes: Uint8Array, format: PictureFormat): Promise<Uint8Array> {
	const reason = `the ${format} data is cut short after ${bytes.length} bytes`;
	if (format !== 'JPEG' || !onlyScanOf(bytes)) throw new PictureError(name, reason, replaceIt);
	const ended = Buffer.concat([bytes, Buffer.from([0xff, 0xd9])]);
	try {
		// All of it, since neither the centre crop nor scaling needs the last rows.
		await sharp(ended, {failOn: 'warning', ...limits})
			.raw()
			.toBuffer();
	} catch (error) {
		throw new PictureError(name, reason, replaceIt, {cause: error});
	}
	return ended;
}

/** TIFF alone has samples whose black and white only its maker knows: floats, signed numbers, 32 bits. */
async function requireKnownScale(name: string | undefined, bytes: Uint8Array): Promise<void> {
	let found;
	try {
		found = await sharp(bytes, limits).metadata();
	} catch (error) {
		throw decodingError(name, error);
	}
	const {depth, space} = found;
	if (depth === 'uchar' || depth === 'ushort' || space === 'lab' || space === 'labs') return;
	const reason = `its samples are of type ${depth}, and nothing says which values are black and white`;
	throw new PictureError(name, reason, 'Convert it to whole numbers of 8 or 16 bits, from 0 up.');
}

function decodingError(name: string | undefined, error: unknown): PictureError {
	const message = firstLineOf(error);
	if (message.includes('exceeds pixel limit')) {
		const reason = `it has more than ${Math.floor(maximumPixels / 1e6)} million pixels`;
		return new PictureError(name, reason, 'Scale it down first.', {cause: error});
	}
	return new PictureError(name, `it is damaged (${message})`, replaceIt, {cause: error});
}
