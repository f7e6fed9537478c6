// Pickles of state dicts, read without running anything: a pickle is a program, and this knows the few instructions and
// names that plain data and tensors need. Whatever else it finds it refuses by name.
import {shortened} from '../base/check.ts';
import type {Shape} from '../device/tensor.ts';

/** A tensor as a pickle tells of it: where its elements are. */
export class PickledTensor {
	/** Entry of the zip, below data/. */
	readonly key: string;
	/** "FloatStorage" and the like. */
	readonly storage: string;
	readonly offset: number;
	readonly shape: Shape;

	constructor([storage, offset, shape, strides]: readonly unknown[]) {
		if (!(storage instanceof Storage) || !isIntegers(shape) || !isIntegers(strides) || typeof offset !== 'number') {
			throw new Error('a tensor is not described as torch.save does');
		}
		let expected = 1;
		for (let axis = shape.length - 1; axis >= 0; --axis) {
			if (strides[axis] !== expected && shape[axis] !== 1) {
				throw new Error('a tensor does not lie in one piece: save tensor.contiguous()');
			}
			expected *= shape[axis] ?? 1;
		}
		this.key = storage.key;
		this.storage = storage.type;
		this.offset = offset;
		this.shape = shape;
	}
}

/** What a tensor's elements are stored in. */
class Storage {
	readonly type: string;
	readonly key: string;

	constructor(id: unknown) {
		const [kind, type, key] = Array.isArray(id) ? (id as readonly unknown[]) : [];
		if (kind !== 'storage' || !(type instanceof Name) || typeof key !== 'string')
			throw new Error('it refers to something else than a storage');
		this.type = type.name;
		this.key = key;
	}
}

/** A class or function that a pickle names; none is called. */
class Name {
	readonly module: string;
	readonly name: string;

	constructor(module: string, name: string) {
		this.module = module;
		this.name = name;
		const isStorage = module === 'torch' && /^[A-Z][A-Za-z0-9]{1,20}Storage$/.test(name);
		if (isStorage || Object.hasOwn(makers, this.whole)) return;
		throw new Error(
			`it needs ${shortened(this.whole, 80)}, which no state dict does: save model.state_dict(), not the model`,
		);
	}

	get whole(): string {
		return `${this.module}.${this.name}`;
	}
}

/** What the functions that a state dict may call would make of their arguments. */
const makers: Readonly<Record<string, (...given: readonly unknown[]) => unknown>> = {
	'collections.OrderedDict': () => new Map<unknown, unknown>(),
	'torch._utils._rebuild_tensor_v2': (...given) => new PickledTensor(given),
	'torch._utils._rebuild_parameter': (tensor) => tensor,
};

function isIntegers(value: unknown): value is number[] {
	return (
		Array.isArray(value) && value.length <= 8 && value.every((each) => Number.isSafeInteger(each) && Number(each) >= 0)
	);
}

/** Strings, numbers, true, false, null, arrays, Maps, and tensors. @throws an error that names what it does not know. */
export function unpickled(bytes: Buffer): unknown {
	const machine = new Machine(bytes);
	for (;;) {
		const code = machine.unsigned(1);
		if (code === stop) return machine.pop();
		const instruction = instructions.get(code);
		if (!instruction)
			throw new Error(`its pickle has the instruction 0x${code.toString(16)}, which no state dict needs`);
		instruction(machine);
	}
}

const mark = Symbol('mark');

class Machine {
	readonly #bytes: Buffer;
	#at = 0;
	readonly #stack: unknown[] = [];
	readonly #memo = new Map<number, unknown>();

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	push(value: unknown): void {
		this.#stack.push(value);
	}

	pop(): unknown {
		if (this.#stack.length === 0) throw new Error('its pickle takes more than it has');
		return this.#stack.pop();
	}

	/** All from the last mark on. */
	popToMark(): unknown[] {
		const at = this.#stack.lastIndexOf(mark);
		if (at < 0) throw new Error('its pickle takes more than it has');
		return this.#stack.splice(at).slice(1);
	}

	popMany(count: number): unknown[] {
		return Array.from({length: count}, () => this.pop()).reverse();
	}

	keep(place: number): void {
		const value = this.pop();
		this.#memo.set(place, value);
		this.push(value);
	}

	recall(place: number): void {
		if (!this.#memo.has(place)) throw new Error('its pickle asks for what it has not kept');
		this.push(this.#memo.get(place));
	}

	unsigned(length: number): number {
		return this.bytes(length).readUIntLE(0, length);
	}

	bytes(length: number): Buffer {
		if (this.#at + length > this.#bytes.length) throw new Error('its pickle is cut short');
		return this.#bytes.subarray(this.#at, (this.#at += length));
	}

	line(): string {
		const end = this.#bytes.indexOf('\n', this.#at);
		const line = this.bytes((end < 0 ? this.#bytes.length : end) - this.#at).toString('latin1');
		this.bytes(1);
		return line;
	}
}

type Instruction = (machine: Machine) => void;

const push =
	(make: (machine: Machine) => unknown): Instruction =>
	(machine) => {
		machine.push(make(machine));
	};

/** Puts pairs of keys and values into the dictionary below them. */
const setItems =
	(items: (machine: Machine) => unknown[]): Instruction =>
	(machine) => {
		const pairs = items(machine);
		const into = machine.pop();
		if (!(into instanceof Map) || pairs.length % 2 !== 0) throw new Error('its pickle puts pairs into no dictionary');
		for (let at = 0; at < pairs.length; at += 2) into.set(pairs[at], pairs[at + 1]);
		machine.push(into);
	};

const append =
	(items: (machine: Machine) => unknown[]): Instruction =>
	(machine) => {
		const values = items(machine);
		const into = machine.pop();
		if (!Array.isArray(into)) throw new Error('its pickle appends to no list');
		for (const value of values) into.push(value);
		machine.push(into);
	};

/** Makes what the function would, of a list of arguments. */
function reduce(machine: Machine): unknown {
	const [maker, given] = machine.popMany(2);
	const make = maker instanceof Name ? makers[maker.whole] : undefined;
	if (!make || !Array.isArray(given)) throw new Error('its pickle calls what is no function');
	return make(...(given as readonly unknown[]));
}

/** state_dict() has a version of each module in an attribute of its own, which is not read. */
function ignoreAttributes(machine: Machine): void {
	const [object, attributes] = machine.popMany(2);
	if (!(object instanceof Map) || !(attributes instanceof Map))
		throw new Error('its pickle sets attributes of no dictionary');
	machine.push(object);
}

/** An integer of up to six bytes. */
function long(machine: Machine): number {
	const bytes = machine.bytes(machine.unsigned(1));
	if (bytes.length > 6) throw new Error(`its pickle has an integer of ${bytes.length} bytes`);
	return bytes.length === 0 ? 0 : bytes.readIntLE(0, bytes.length);
}

const stop = 0x2e;
const instructions: ReadonlyMap<number, Instruction> = new Map([
	[0x80, (machine) => void machine.bytes(1)], // PROTO
	[0x28, push(() => mark)], // MARK
	[0x4e, push(() => null)], // NONE
	[0x88, push(() => true)], // NEWTRUE
	[0x89, push(() => false)], // NEWFALSE
	[0x4b, push((machine) => machine.unsigned(1))], // BININT1
	[0x4d, push((machine) => machine.unsigned(2))], // BININT2
	[0x4a, push((machine) => machine.bytes(4).readInt32LE())], // BININT
	[0x8a, push(long)], // LONG1
	[0x47, push((machine) => machine.bytes(8).readDoubleBE())], // BINFLOAT
	[0x58, push((machine) => machine.bytes(machine.unsigned(4)).toString())], // BINUNICODE
	[0x8c, push((machine) => machine.bytes(machine.unsigned(1)).toString())], // SHORT_BINUNICODE
	[0x7d, push(() => new Map())], // EMPTY_DICT
	[0x5d, push(() => [])], // EMPTY_LIST
	[0x29, push(() => [])], // EMPTY_TUPLE
	[0x85, push((machine) => machine.popMany(1))], // TUPLE1
	[0x86, push((machine) => machine.popMany(2))], // TUPLE2
	[0x87, push((machine) => machine.popMany(3))], // TUPLE3
	[0x74, push((machine) => machine.popToMark())], // TUPLE
	[0x73, setItems((machine) => machine.popMany(2))], // SETITEM
	[0x75, setItems((machine) => machine.popToMark())], // SETITEMS
	[0x61, append((machine) => machine.popMany(1))], // APPEND
	[0x65, append((machine) => machine.popToMark())], // APPENDS
	[0x71, (machine) => machine.keep(machine.unsigned(1))], // BINPUT
	[0x72, (machine) => machine.keep(machine.unsigned(4))], // LONG_BINPUT
	[0x68, (machine) => machine.recall(machine.unsigned(1))], // BINGET
	[0x6a, (machine) => machine.recall(machine.unsigned(4))], // LONG_BINGET
	[0x63, push((machine) => new Name(machine.line(), machine.line()))], // GLOBAL
	[0x52, push(reduce)], // REDUCE
	[0x51, push((machine) => new Storage(machine.pop()))], // BINPERSID
	[0x62, ignoreAttributes], // BUILD
]);
