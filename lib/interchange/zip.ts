// The zip that torch.save writes: entries as they are, neither compressed nor encrypted.

const signatures = {entry: 0x04034b50, directory: 0x02014b50, end: 0x06054b50} as const;
const sizes = {entry: 30, directory: 46, end: 22} as const;
/** A net has an entry for each tensor. */
const mostEntries = 10_000;

/** Whether these bytes begin as a zip's. */
export function isZip(bytes: Buffer): boolean {
	return bytes.length >= sizes.end && bytes.readUInt32LE() === signatures.entry;
}

/**
 * The entries by name, not copied.
 *
 * @throws an error of what is no zip, or a compressed one. Offsets beyond the bytes are RangeErrors of Buffer's.
 */
export function readZip(bytes: Buffer): Map<string, Buffer> {
	const end = bytes.lastIndexOf('PK\u0005\u0006');
	if (end < 0) throw new Error('it is a zip file cut short');
	const count = bytes.readUInt16LE(end + 10);
	if (count > mostEntries) throw new Error(`it has ${count} entries, and the most are ${mostEntries}`);
	const entries = new Map<string, Buffer>();
	let at = bytes.readUInt32LE(end + 16);
	for (let left = count; left > 0; --left) {
		if (bytes.readUInt32LE(at) !== signatures.directory) throw new Error("its directory's entries are damaged");
		const [names, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [
			number,
			number,
			number,
		];
		const name = bytes.toString('utf8', at + sizes.directory, at + sizes.directory + names);
		if (bytes.readUInt16LE(at + 10) !== 0) throw new Error(`${name} is compressed, which torch.save does not do`);
		if ((bytes.readUInt16LE(at + 8) & 1) !== 0) throw new Error(`${name} is encrypted`);
		entries.set(name, contents(bytes, name, bytes.readUInt32LE(at + 42), bytes.readUInt32LE(at + 24)));
		at += sizes.directory + names + extra + comment;
	}
	return entries;
}

/** @param start of the entry's own header */
function contents(bytes: Buffer, name: string, start: number, length: number): Buffer {
	if (bytes.readUInt32LE(start) !== signatures.entry) throw new Error(`${name} is not where the directory says`);
	const begin = start + sizes.entry + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
	if (begin + length > bytes.length) throw new Error(`${name} ends after the file`);
	return bytes.subarray(begin, begin + length);
}
