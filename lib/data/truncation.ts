// What a file is by its first bytes, and whether its end is there.
//
// libvips reads some cut files without a word: a PNG whose end chunk is gone, and any picture whose missing rows the
// centre crop does not need. So the file's own structure is checked before it is decoded.

export type PictureFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'TIFF';

/** The markers after which a JPEG's restart interval, and its coded data follow. */
const restartInterval = 0xdd;
export const startOfScan = 0xda;
const endOfImage = 0xd9;
const zeros = Buffer.alloc(2);

/** The format by the file's signature, whatever its name says; undefined where it is none that we read. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
	const head = asBuffer(bytes).toString('latin1', 0, 12);
	if (head.startsWith('\xff\xd8\xff')) return 'JPEG';
	if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG';
	if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'GIF';
	if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'WebP';
	return ['II*\0', 'II+\0', 'MM\0*', 'MM\0+'].includes(head.slice(0, 4)) ? 'TIFF' : undefined;
}

/** Whether the file ends before its picture does. Bytes after the end are harmless and allowed. */
export function isCutShort(bytes: Uint8Array, format: PictureFormat): boolean {
	const buffer = asBuffer(bytes);
	try {
		switch (format) {
			case 'JPEG':
				return !jpegEnds(buffer);
			case 'PNG':
				return !pngEnds(buffer);
			case 'GIF':
				return !gifEnds(buffer);
			case 'WebP':
				return buffer.readUInt32LE(4) + 8 > buffer.length;
			case 'TIFF': // A directory of offsets rather than a stream: the decoder reports what lies beyond the end.
				return false;
		}
	} catch (error) {
		if (error instanceof RangeError) return true; // A length or a marker lies beyond the end.
		throw error;
	}
}

export function asBuffer(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The segments before the first scan are walked by their lengths, because an embedded thumbnail has an end marker of
 * its own. After that an FF D9 is the end: FF bytes of the coded data are followed by 00.
 */
function jpegEnds(jpeg: Buffer): boolean {
	for (const {marker, at} of jpegSegments(jpeg)) {
		if (marker === startOfScan) return jpeg.lastIndexOf('\xff\xd9', undefined, 'latin1') > at;
	}
	return false;
}

/** Where the segments begin, up to the end marker after the scans. A RangeError where the file ends before. */
export function* jpegSegments(jpeg: Buffer): Generator<{marker: number; at: number}, void, void> {
	const [firstWithoutLength, lastWithoutLength] = [0xd0, endOfImage];
	for (let [at, isInScan] = [2, false]; ;) {
		const marker = jpeg.readUInt8(at) === 0xff ? jpeg.readUInt8(at + 1) : 0xff;
		if (marker === 0xff || marker === 0) at = isInScan ? nextMarker(jpeg, at) : at + 1;
		else if (marker === endOfImage && isInScan) return;
		else if (marker >= firstWithoutLength && marker <= lastWithoutLength) at += 2;
		else {
			yield {marker, at};
			isInScan ||= marker === startOfScan;
			at += 2 + jpeg.readUInt16BE(at + 2);
		}
	}
}

/** The next FF byte, among coded data. */
function nextMarker(jpeg: Buffer, at: number): number {
	const next = jpeg.indexOf(0xff, at + 1);
	return next < 0 ? jpeg.length : next;
}

/** Where a sequential JPEG's parts are. */
export interface OnlyScan {
	/** Offset of the frame's header. */
	readonly frame: number;
	/** Offset of the scan's header, after which the coded data follows. */
	readonly scan: number;
	readonly hasRestartInterval: boolean;
}

/**
 * The scan of a JPEG, with or without an end marker, that is a sequential one whose only scan has all components, and not
 * one whose tail was never written: then the decoder can tell whether its data is complete. Undefined of any other.
 */
export function onlyScanOf(bytes: Uint8Array): OnlyScan | undefined {
	const jpeg = asBuffer(bytes);
	let frame: number | undefined;
	let hasRestartInterval = false;
	try {
		for (const {marker, at: scan} of jpegSegments(jpeg)) {
			if (marker === 0xc0 || marker === 0xc1) frame = scan;
			if (marker === restartInterval) hasRestartInterval = true;
			if (marker !== startOfScan || frame === undefined) continue;
			const hasAll = jpeg.readUInt8(scan + 4) === jpeg.readUInt8(frame + 9);
			return hasAll && !jpeg.subarray(-2).equals(zeros) ? {frame, scan, hasRestartInterval} : undefined;
		}
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
	}
	return undefined;
}

/** A chunk is a length, four letters, that many bytes and a checksum. */
function pngEnds(png: Buffer): boolean {
	for (let at = 8; ; at += 12 + png.readUInt32BE(at)) {
		if (png.toString('latin1', at + 4, at + 8) === 'IEND') return at + 12 <= png.length;
	}
}

function gifEnds(gif: Buffer): boolean {
	const colourTableBytes = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
	let at = 13 + colourTableBytes(gif.readUInt8(10));
	for (;;) {
		const block = gif.readUInt8(at);
		if (block === 0x3b) return true;
		if (block === 0x21) at += 2;
		else if (block === 0x2c) at += 11 + colourTableBytes(gif.readUInt8(at + 9));
		// Damaged rather than cut, for the decoder to report; but zeros up to the end are a tail that was never written.
		else return gif.subarray(at).some((byte) => byte !== 0);
		for (let length = gif.readUInt8(at); length > 0; length = gif.readUInt8(at)) at += 1 + length;
		at += 1;
	}
}
