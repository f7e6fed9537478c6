// Protocol buffers as bytes have them: numbered fields, whose names and types each format tells (onnx.ts, caffe.ts).
import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire';

/** Of all messages of a file together: a net of a hundred layers has a few thousand. */
const mostFields = 2 ** 17;

/** Refuses bytes that are no UTF-8. */
const decoder = new TextDecoder('utf-8', {fatal: true});

/** What is left to read of a file whose messages share it. */
interface Budget {
	fields: number;
}

/** A message's fields by number. Messages inside it are read when they are asked for, and bytes are not copied. */
export class Message {
	readonly #fields = new Map<number, (number | Uint8Array)[]>();
	readonly #budget: Budget;

	/** @throws an error of what is no message, or has more fields than any net. */
	constructor(bytes: Uint8Array, budget: Budget = {fields: mostFields}) {
		this.#budget = budget;
		const reader = new BinaryReader(bytes);
		while (reader.pos < reader.len) {
			if (--budget.fields < 0) throw new Error(`it has more than ${mostFields} fields`);
			const [field, type] = reader.tag();
			const value = valueOf(reader, type, field);
			const values = this.#fields.get(field);
			if (values) values.push(value);
			else this.#fields.set(field, [value]);
		}
	}

	/** Whether the message says it. */
	has(field: number): boolean {
		return this.#fields.has(field);
	}

	messages(field: number): Message[] {
		return this.#bytes(field).map((bytes) => new Message(bytes, this.#budget));
	}

	/** The last of that number, as the format has it. */
	message(field: number): Message | undefined {
		return this.messages(field).at(-1);
	}

	texts(field: number): string[] {
		return this.#bytes(field).map((bytes) => decoder.decode(bytes));
	}

	text(field: number, whereMissing = ''): string {
		return this.texts(field).at(-1) ?? whereMissing;
	}

	bytes(field: number): Uint8Array | undefined {
		return this.#bytes(field).at(-1);
	}

	/** Integers of any size and flags, one by one or packed. */
	integers(field: number): number[] {
		return (this.#fields.get(field) ?? []).flatMap((value) => {
			if (typeof value === 'number') return requireExact(value);
			const reader = new BinaryReader(value);
			const values: number[] = [];
			while (reader.pos < reader.len) {
				if (--this.#budget.fields < 0) throw new Error(`it has more than ${mostFields} numbers`);
				values.push(requireExact(Number(reader.int64())));
			}
			return values;
		});
	}

	integer(field: number, whereMissing = 0): number {
		return this.integers(field).at(-1) ?? whereMissing;
	}

	/** A float that stands alone. */
	float(field: number, whereMissing = 0): number {
		const bytes = this.bytes(field);
		return bytes ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat32(0, true) : whereMissing;
	}

	/** The bytes of packed floats or doubles. */
	packed(field: number): Uint8Array {
		const all = this.#bytes(field);
		return all.length === 1 && all[0] ? all[0] : Buffer.concat(all);
	}

	#bytes(field: number): Uint8Array[] {
		return (this.#fields.get(field) ?? []).map((value) => {
			if (typeof value === 'number') throw new Error(`field ${field} holds a number where bytes were expected`);
			return value;
		});
	}
}

/** Numbers of fixed size stay bytes: the field's type tells how to read them. */
function valueOf(reader: BinaryReader, type: WireType, field: number): number | Uint8Array {
	if (type === WireType.Varint) return Number(reader.int64());
	return type === WireType.LengthDelimited ? reader.bytes() : reader.skip(type, field);
}

function requireExact(value: number): number {
	if (Number.isSafeInteger(value)) return value;
	throw new Error(`the integer ${value} is out of range`);
}

/** Writes one field of a message. */
export type Field = (writer: BinaryWriter) => unknown;

export const integer =
	(field: number, value: number): Field =>
	(writer) =>
		writer.tag(field, WireType.Varint).int64(value);

export const integers = (field: number, values: readonly number[]): Field[] =>
	values.map((value) => integer(field, value));

export const float =
	(field: number, value: number): Field =>
	(writer) =>
		writer.tag(field, WireType.Bit32).float(value);

export const text =
	(field: number, value: string): Field =>
	(writer) =>
		writer.tag(field, WireType.LengthDelimited).string(value);

export const bytes =
	(field: number, value: Uint8Array): Field =>
	(writer) =>
		writer.tag(field, WireType.LengthDelimited).bytes(value);

export const message = (field: number, ...fields: readonly Field[]): Field => bytes(field, encoded(...fields));

/** A field whose bytes, so many, are written after what it gives. */
export const bytesToFollow =
	(field: number, length: number): Field =>
	(writer) =>
		writer.tag(field, WireType.LengthDelimited).uint32(length);

export function encoded(...fields: readonly Field[]): Uint8Array {
	const writer = new BinaryWriter();
	for (const write of fields) write(writer);
	return writer.finish();
}
