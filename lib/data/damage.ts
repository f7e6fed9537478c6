// Damage that decoders step over without a word, and that a file's own structure tells of at little cost.
import {crc32} from 'node:zlib';
import {asBuffer, jpegSegments, pictureFormat, startOfScan} from './truncation.ts';

/** What is wrong with a picture that decodes, in words that follow its name; undefined where nothing is seen. */
export function damageOf(bytes: Uint8Array): string | undefined {
	const buffer = asBuffer(bytes);
	try {
		switch (pictureFormat(bytes)) {
			case 'JPEG':
				return lacksScans(buffer) ? 'it is coarse or without colours (its last scans are missing)' : undefined;
			case 'PNG': {
				const chunk = damagedChunk(buffer);
				return chunk === undefined ? undefined : `it is damaged (the checksum of its ${chunk} chunk is wrong)`;
			}
			case 'WebP':
				return hasEmptyTail(buffer) ? 'it is damaged (the end of its data was never written)' : undefined;
			case 'GIF':
			case 'TIFF':
			case undefined:
				return undefined;
		}
	} catch (error) {
		if (error instanceof RangeError) return undefined; // It ends before; but a decoder has read it.
		throw error;
	}
}

/** The headers of JPEG's frames, of Huffman and of arithmetic codes; the second ones are progressive. */
const sequential: readonly number[] = [0xc0, 0xc1, 0xc9];
const progressive: readonly number[] = [0xc2, 0xca];

const coefficients = 64;

/**
 * Whether a JPEG that has come to its end marker brings less than its frame announces: a component, coefficients, or
 * their last bits. The decoder shows what it has, coarse or grey, as it does while a picture is on its way.
 */
function lacksScans(jpeg: Buffer): boolean {
	/** For each component the bits that are still to come of each coefficient. */
	const missing = new Map<number, Uint8Array>();
	let isProgressive = false;
	for (const {marker, at} of jpegSegments(jpeg)) {
		if (sequential.includes(marker) || progressive.includes(marker)) {
			isProgressive = progressive.includes(marker);
			for (let c = 0; c < jpeg.readUInt8(at + 9); ++c) {
				missing.set(jpeg.readUInt8(at + 10 + 3 * c), new Uint8Array(coefficients).fill(255));
			}
		}
		if (marker !== startOfScan) continue;
		const components = jpeg.readUInt8(at + 4);
		const spectrum = at + 5 + 2 * components;
		const [from, to] = [jpeg.readUInt8(spectrum), jpeg.readUInt8(spectrum + 1)];
		const stillToCome = jpeg.readUInt8(spectrum + 2) & 15;
		for (let c = 0; c < components; ++c) {
			const bits = missing.get(jpeg.readUInt8(at + 5 + 2 * c));
			if (isProgressive) bits?.fill(stillToCome, from, to + 1);
			else bits?.fill(0);
		}
	}
	return [...missing.values()].some((bits) => bits.some((left) => left > 0));
}

/** The first of the chunks without which there is no picture, whose bytes are not those that were written. */
function damagedChunk(png: Buffer): string | undefined {
	for (let at = 8; at < png.length;) {
		const length = png.readUInt32BE(at);
		const type = png.toString('latin1', at + 4, at + 8);
		const isNeeded = /^[A-Z]/.test(type);
		if (isNeeded && crc32(png.subarray(at + 4, at + 8 + length)) !== png.readUInt32BE(at + 8 + length)) return type;
		if (type === 'IEND') return undefined;
		at += 12 + length;
	}
	return undefined;
}

/**
 * A download that was cut short may have its whole length, and zeros for what did not come. WebPs of one colour end in
 * zeros, too, but of 600 such and similar ones not one in more than 6 % of its bytes.
 */
function hasEmptyTail(webp: Buffer): boolean {
	const most = Math.max(512, Math.ceil(webp.length / 8));
	return most < webp.length && webp.subarray(-most).every((byte) => byte === 0);
}
