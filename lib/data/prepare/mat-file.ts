// As much of MATLAB's files (version 5) as ILSVRC's devkit needs: arrays of structs with texts and numbers.
//
// A file is a header of 128 bytes and elements: 4 bytes type, 4 bytes length, data filled up to a multiple of 8 bytes.
// Up to 4 bytes of data may stand in the place of the second word, and the length in the upper half of the first.
import {promisify} from 'node:util';
import {inflate} from 'node:zlib';

const headerBytes = 128;
/** Types of elements. */
const [matrix, compressed] = [14, 15];
/** Classes of arrays. */
const [structs, characters, firstNumeric, lastNumeric] = [2, 4, 6, 15];

/** A struct's fields: texts and numbers; others are left out. */
export type MatStruct = Readonly<Record<string, string | readonly number[]>>;

interface Element {
	readonly type: number;
	readonly data: Buffer;
	/** Where the next one begins. */
	readonly end: number;
}

/**
 * The array of structs of a name.
 *
 * @throws an Error that says why there is none.
 */
export async function readMatStructs(file: Buffer, name: string): Promise<MatStruct[]> {
	if (file.toString('latin1', 126, 128) !== 'IM')
		throw new Error("it is no MATLAB file of version 5 ('IM' is missing)");
	for (let at = headerBytes; at + 8 <= file.length;) {
		const element = elementAt(file, at);
		// A compressed one is not filled up.
		at = element.type === compressed ? at + 8 + element.data.length : element.end;
		const whole = element.type === compressed ? elementAt(await promisify(inflate)(element.data), 0) : element;
		const array = whole.type === matrix ? arrayOf(whole.data) : undefined;
		if (array?.name === name && array.kind === structs) return structsOf(array);
	}
	throw new Error(`it has no array of structs '${name}'`);
}

function elementAt(bytes: Buffer, at: number): Element {
	const [first, second] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
	const short = first >>> 16;
	const [type, start, length] = short > 0 ? [first & 0xffff, at + 4, short] : [first, at + 8, second];
	if (start + length > bytes.length) throw new Error('it is cut short');
	const end = short > 0 ? at + 8 : start + Math.ceil(length / 8) * 8;
	return {type, data: bytes.subarray(start, start + length), end};
}

interface MatArray {
	readonly kind: number;
	readonly size: number;
	readonly name: string;
	/** What follows, which depends on the kind. */
	readonly rest: Buffer;
}

function arrayOf(data: Buffer): MatArray | undefined {
	if (data.length === 0) return undefined; // An empty cell.
	const flags = elementAt(data, 0);
	const dimensions = elementAt(data, flags.end);
	const name = elementAt(data, dimensions.end);
	const size = numbersOf(dimensions).reduce((product, each) => product * each, 1);
	return {kind: flags.data[0] ?? 0, size, name: name.data.toString('latin1'), rest: data.subarray(name.end)};
}

function structsOf({size, rest}: MatArray): MatStruct[] {
	const nameLength = elementAt(rest, 0);
	const width = nameLength.data.readInt32LE();
	const names = elementAt(rest, nameLength.end);
	const fields = Array.from({length: Math.floor(names.data.length / width)}, (_, place) => {
		return names.data.toString('latin1', place * width, (place + 1) * width).replace(/\0.*$/s, '');
	});
	const all: MatStruct[] = [];
	let at = names.end;
	for (let number = 0; number < size; ++number) {
		const entries = fields.flatMap((field) => {
			const element = elementAt(rest, at);
			at = element.end;
			const value = valueOf(arrayOf(element.data));
			return value === undefined ? [] : [[field, value] as const];
		});
		all.push(Object.fromEntries(entries));
	}
	return all;
}

function valueOf(array: MatArray | undefined): MatStruct[string] | undefined {
	if (!array || array.size === 0) return array?.kind === characters ? '' : undefined;
	const isText = array.kind === characters;
	if (!isText && (array.kind < firstNumeric || array.kind > lastNumeric)) return undefined;
	const element = elementAt(array.rest, 0);
	if (!isText) return numbersOf(element);
	return element.type === 16 ? element.data.toString('utf8') : String.fromCharCode(...numbersOf(element));
}

/** By their type: whole numbers of 1, 2 and 4 bytes, floats of 4 and 8. */
function numbersOf({type, data}: Element): number[] {
	const readers: Readonly<Record<number, readonly [number, (at: number) => number]>> = {
		1: [1, (at) => data.readInt8(at)],
		2: [1, (at) => data.readUInt8(at)],
		3: [2, (at) => data.readInt16LE(at)],
		4: [2, (at) => data.readUInt16LE(at)],
		5: [4, (at) => data.readInt32LE(at)],
		6: [4, (at) => data.readUInt32LE(at)],
		7: [4, (at) => data.readFloatLE(at)],
		9: [8, (at) => data.readDoubleLE(at)],
		17: [2, (at) => data.readUInt16LE(at)],
	};
	const [width, read] = readers[type] ?? [1, () => NaN];
	return Array.from({length: Math.floor(data.length / width)}, (_, place) => read(place * width));
}
