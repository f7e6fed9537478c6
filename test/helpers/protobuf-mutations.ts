// Messages that went wrong, at random but with their structure in mind: a field of any depth is changed, and the lengths
// around it fit again.
import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire';
import type {Random} from '../../lib/selftest/random.ts';

interface Field {
	number: number;
	type: WireType;
	/** A varint's value, or bytes. */
	value: bigint | Uint8Array;
}

function read(bytes: Uint8Array): Field[] {
	const reader = new BinaryReader(bytes);
	const fields: Field[] = [];
	while (reader.pos < reader.len) {
		const [number, type] = reader.tag();
		const isVarint = type === WireType.Varint;
		const value = isVarint
			? BigInt(reader.int64())
			: type === WireType.LengthDelimited
				? reader.bytes()
				: reader.skip(type);
		fields.push({number, type, value});
	}
	return fields;
}

function write(fields: readonly Field[]): Uint8Array {
	const writer = new BinaryWriter();
	for (const {number, type, value} of fields) {
		writer.tag(number, type);
		if (typeof value === 'bigint') writer.int64(BigInt.asIntN(64, value));
		else if (type === WireType.LengthDelimited) writer.bytes(value);
		else writer.raw(value);
	}
	return writer.finish();
}

const isMessage = (bytes: Uint8Array): boolean => {
	try {
		return bytes.length > 0 && bytes.length < 2 ** 20 && read(bytes).every(({number}) => number < 200);
	} catch {
		return false;
	}
};

const numbers = [
	0n,
	1n,
	2n,
	3n,
	5n,
	7n,
	100n,
	2n ** 16n,
	2n ** 31n,
	2n ** 32n,
	2n ** 53n,
	2n ** 62n,
	-1n,
	-(2n ** 62n),
];

export function mutatedMessage(bytes: Uint8Array, random: Random): {bytes: Uint8Array; what: string} {
	const fields = read(bytes);
	const index = random.integer(fields.length);
	const field = fields[index]!;
	const {number, value} = field;
	if (value instanceof Uint8Array && isMessage(value) && random.uniform() < 0.9) {
		const inner = mutatedMessage(value, random);
		field.value = inner.bytes;
		return {bytes: write(fields), what: `${number}.${inner.what}`};
	}
	const kind = random.integer(6);
	if (kind === 0) fields.splice(index, 1);
	else if (kind === 1) fields.splice(random.integer(fields.length), 0, field);
	else if (kind === 2) field.number = 1 + random.integer(20);
	else if (kind === 3) fields.push(...fields.splice(index, 1));
	else if (typeof value === 'bigint')
		field.value = random.uniform() < 0.5 ? value + 1n : numbers[random.integer(numbers.length)]!;
	else field.value = changed(value, random);
	return {bytes: write(fields), what: `${number} ${['removed', 'doubled', 'renumbered', 'moved'][kind] ?? 'changed'}`};
}

function changed(bytes: Uint8Array, random: Random): Uint8Array {
	if (bytes.length === 0 || random.uniform() < 0.3) return bytes.subarray(0, random.integer(bytes.length + 1));
	const copy = new Uint8Array(bytes); // slice() of a Buffer copies nothing
	copy[random.integer(copy.length)] = random.integer(256);
	return copy;
}
