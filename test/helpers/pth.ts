// What torch.save writes, made without it: a zip whose pickle tells names, shapes and places of tensors.
import {bytesOf} from '../../lib/checkpoint/write-whole.ts';
import type {Floats} from './onnx.ts';

const u16 = (value: number): Buffer => Buffer.from(Uint16Array.of(value).buffer);
const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const op = (text: string): Buffer => Buffer.from(text, 'latin1');
const string = (text: string): Buffer => Buffer.concat([op('X'), u32(Buffer.byteLength(text)), Buffer.from(text)]);
const int = (value: number): Buffer => Buffer.concat([op('J'), u32(value)]);
const tuple = (...items: readonly Buffer[]): Buffer => Buffer.concat([op('('), ...items, op('t')]);
const name = (module: string, what: string): Buffer => op(`c${module}\n${what}\n`);

function tensor({shape, values}: Floats, key: string): Buffer {
	const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
	const storage = tuple(
		string('storage'),
		name('torch', 'FloatStorage'),
		string(key),
		string('cpu'),
		int(values.length),
	);
	const hooks = Buffer.concat([name('collections', 'OrderedDict'), op(')R')]);
	return Buffer.concat([
		name('torch._utils', '_rebuild_tensor_v2'),
		tuple(
			Buffer.concat([storage, op('Q')]),
			int(0),
			tuple(...shape.map(int)),
			tuple(...strides.map(int)),
			op('\x89'),
			hooks,
		),
		op('R'),
	]);
}

export function pthOf(tensors: Readonly<Record<string, Floats>>): Buffer {
	const items = Object.entries(tensors);
	const pickle = Buffer.concat([
		...[op('\x80\x02'), name('collections', 'OrderedDict'), op(')Rq\0(')],
		...items.flatMap(([key, each], index) => [string(key), tensor(each, String(index))]),
		op('uh\0}'),
		...[string('_metadata'), op('}sb.')],
	]);
	return zipOf({
		'net/data.pkl': pickle,
		...Object.fromEntries(items.map(([, {values}], index) => [`net/data/${index}`, Buffer.from(bytesOf(values))])),
	});
}

/** Entries as they are, as torch.save writes them. */
export function zipOf(entries: Readonly<Record<string, Buffer>>): Buffer {
	const parts: Buffer[] = [];
	const directory: Buffer[] = [];
	let at = 0;
	for (const [path, data] of Object.entries(entries)) {
		// Version, flags, method, time, date, checksum (which readers of ours do not look at), sizes, lengths.
		const common = Buffer.concat([
			...[u16(0), u16(0), u16(0), u16(0), u16(0), u32(0), u32(data.length), u32(data.length), u16(path.length), u16(0)],
		]);
		const entry = Buffer.concat([op('PK\x03\x04'), common, op(path), data]);
		directory.push(Buffer.concat([op('PK\x01\x02'), u16(0), common, Buffer.alloc(10), u32(at), op(path)]));
		parts.push(entry);
		at += entry.length;
	}
	const list = Buffer.concat(directory);
	const count = u16(parts.length);
	const end = Buffer.concat([op('PK\x05\x06'), u32(0), count, count, u32(list.length), u32(at), u16(0)]);
	return Buffer.concat([...parts, list, end]);
}
