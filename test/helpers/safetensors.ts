// Safetensors files taken apart and put together again, as bytes.

/** A header as files of ours have it. */
export interface Header {
	__metadata__: Record<string, string>;
	[tensor: string]: {dtype: string; shape: number[]; data_offsets: [number, number]} | Record<string, string>;
}

export function split(bytes: Buffer): {header: Header; data: Buffer} {
	const end = 8 + Number(bytes.readBigUInt64LE());
	return {header: JSON.parse(bytes.toString('utf8', 8, end)) as Header, data: bytes.subarray(end)};
}

export function joined(header: string | Buffer, data: Buffer): Buffer {
	const text = Buffer.from(header);
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(text.length));
	return Buffer.concat([length, text, data]);
}
