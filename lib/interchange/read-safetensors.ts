import {parseHeader, requireNoHoles, type Metadata} from '../checkpoint/safetensors-header.ts';
import type {FileTensor} from './net-builder.ts';
import {floatsOf} from './tensor-bytes.ts';

const lengthBytes = 8;

/** The header's bytes, where this begins as a safetensors file. */
export function safetensorsHeader(bytes: Buffer): Buffer | undefined {
	if (bytes.length < lengthBytes + 2) return undefined;
	const end = lengthBytes + Number(bytes.readBigUInt64LE());
	return end <= bytes.length && bytes[lengthBytes] === 0x7b ? bytes.subarray(lengthBytes, end) : undefined;
}

/** @throws an error that says what is not as it must be. */
export function readSafetensors(bytes: Buffer, header: Buffer): {metadata: Metadata; tensors: Map<string, FileTensor>} {
	const data = bytes.subarray(lengthBytes + header.length);
	const {metadata, entries} = parseHeader(header.toString());
	requireNoHoles(entries, data.length);
	const tensors = Array.from(
		entries,
		([
			name,
			{
				shape,
				data_offsets: [begin, end],
			},
		]): [string, FileTensor] => {
			return [name, {shape, values: () => floatsOf(data.subarray(begin, end))}];
		},
	);
	return {metadata, tensors: new Map(tensors)};
}
