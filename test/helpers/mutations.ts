// Checkpoints that went wrong, at random but with their structure in mind: the JSON of the header, and that inside it.
import type {Random} from '../../lib/selftest/random.ts';
import {joined, split} from './safetensors.ts';

type Json = null | boolean | number | string | Json[] | Tree;
interface Tree {
	[key: string]: Json;
}
type Node = Json[] | Tree;

export interface Mutation {
	readonly bytes: Buffer;
	/** In words, to find it again. */
	readonly what: string;
}

const one = <T>(random: Random, choices: readonly T[]): T => choices[random.integer(choices.length)]!;

const extremes: readonly Json[] = [
	...[null, true, '', [], {}, 0, -1, 1, 3, 0.5, -0.5, 1e308, 2 ** 31, 2 ** 53, 2 ** 64, '0', 'NaN', '__proto__'],
	...[
		'x'.repeat(10_000),
		[[[[[[[[[[[[[]]]]]]]]]]]]],
		{type: 'conv2d'},
		{constructor: {name: {toString: 1}}, length: {toString: 1}},
		[1, 2, 3, 4, 5],
		'\u0000\ud800',
	],
];
const names = [
	'__proto__',
	'constructor',
	'prototype',
	'length',
	'toString',
	'',
	'conv1.weight',
	'dtype',
	'type',
	'other',
];

const isNode = (value: Json | undefined): value is Node => typeof value === 'object' && value !== null;

/** A later change must not find what is put in in two places, or in itself. */
const copyOf = (value: Json): Json => structuredClone(value);

/** Changes one place of a tree: what is there is replaced, removed, put under another name, or exchanged. */
function changeTree(root: Node, random: Random): string {
	let node = root;
	const path: string[] = [];
	for (;;) {
		const keys = Object.keys(node);
		const fields = node as Tree;
		const key = keys.length > 0 ? one(random, keys) : 'new';
		path.push(key);
		const inner = fields[key];
		if (isNode(inner) && random.uniform() < 0.8) {
			node = inner;
			continue;
		}
		const kind = random.integer(5);
		const other = one(random, keys.length > 0 ? keys : ['new']);
		if (kind === 0) Reflect.deleteProperty(node, key);
		else if (kind === 1) [fields[key], fields[other]] = [fields[other] ?? null, fields[key] ?? null];
		else if (kind === 2 && Array.isArray(node)) node.push(copyOf(inner ?? null));
		else if (kind === 2)
			Reflect.defineProperty(node, one(random, names), {
				value: copyOf(inner ?? null),
				enumerable: true,
				writable: true,
			});
		else if (kind === 3 && typeof inner === 'number') fields[key] = inner + one(random, [-4, -1, 1, 4, 1000]);
		else fields[key] = copyOf(one(random, extremes));
		return `${path.join('.')}: ${['removed', `exchanged with ${other}`, 'named anew', 'moved', 'replaced'][kind] ?? ''}`;
	}
}

function changeHeader(bytes: Buffer, random: Random): Mutation {
	const {header: parsed, data} = split(bytes);
	const header = parsed as unknown as Tree;
	const whats: string[] = [];
	for (let count = 1 + random.integer(2); count > 0; --count) {
		const metadata = Object.keys(metadataOf(header));
		if (metadata.length > 0 && random.uniform() < 0.6) {
			const key = one(random, metadata);
			const holder = {value: readable(metadataOf(header)[key])};
			whats.push(`${key} ${changeTree(holder, random)}`);
			metadataOf(header)[key] = JSON.stringify(holder.value);
		} else {
			whats.push(changeTree(header, random));
		}
	}
	return {bytes: joined(JSON.stringify(header), data), what: whats.join('; ')};
}

function metadataOf({__metadata__: metadata}: Tree): Tree {
	return isNode(metadata) && !Array.isArray(metadata) ? metadata : {};
}

function readable(text: Json | undefined): Json {
	if (typeof text !== 'string') return text ?? null;
	try {
		return JSON.parse(text) as Json;
	} catch {
		return text;
	}
}

/** What JSON.stringify does not write. */
const snippets = [
	...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0000', '\0', '-', '.', 'e999', '1e999', '-0', 'NaN', 'null,'],
	...['"__proto__":{},', '"__metadata__":{},', '"mean":0,', '['.repeat(10_000), '{"a":'.repeat(1000), ' '.repeat(1000)],
];

/** The text of the header: something is put in, left out, or there twice, fields among it. */
function changeText(bytes: Buffer, random: Random): Mutation {
	const {data} = split(bytes);
	const text = bytes.toString('utf8', 8, bytes.length - data.length);
	const kind = random.integer(4);
	if (kind === 0) {
		const at = random.integer(text.length);
		const snippet = one(random, snippets);
		const what = `${snippet.slice(0, 20)} put in at character ${at} of the header`;
		return {bytes: joined(text.slice(0, at) + snippet + text.slice(at), data), what};
	}
	// From one field, or one number, to the next.
	const marks = [...text.matchAll(kind === 1 ? /\\?"[\w.]+\\?":/g : /-?\d[\d.]*/g)];
	const {0: mark, index: at} = one(random, marks);
	if (kind === 3) {
		const snippet = one(random, snippets);
		const what = `${mark} at character ${at} of the header replaced by ${snippet.slice(0, 20)}`;
		return {bytes: joined(text.slice(0, at) + snippet + text.slice(at + mark.length), data), what};
	}
	const next = marks.find(({index}) => index > at)?.index ?? text.length - 1;
	const twice = random.uniform() < 0.5;
	const what = `characters ${at} to ${next} of the header ${twice ? 'doubled' : 'left out'}`;
	return {bytes: joined(text.slice(0, twice ? next : at) + text.slice(twice ? at : next), data), what};
}

const lengths = [0n, 1n, 2n, 8n, 2n ** 24n, 2n ** 24n + 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

function changeLength(bytes: Buffer, random: Random): Mutation {
	const copy = Buffer.from(bytes);
	const near = copy.readBigUInt64LE() + BigInt(one(random, [-8, -1, 1, 8]));
	const length = random.uniform() < 0.3 ? near : one(random, [...lengths, BigInt(bytes.length - 8)]);
	copy.writeBigUInt64LE(length);
	return {bytes: copy, what: `the header's length is ${length}`};
}

function changeBytes(bytes: Buffer, random: Random): Mutation {
	const headerEnd = 8 + Number(bytes.readBigUInt64LE());
	const copy = Buffer.from(bytes);
	const kind = random.integer(6);
	const at = random.integer(kind < 3 ? headerEnd : kind === 3 ? 8 : bytes.length);
	if (kind === 4) return {bytes: copy.subarray(0, at), what: `cut after byte ${at}`};
	if (kind === 5) return {bytes: Buffer.concat([copy, Buffer.alloc(1 + random.integer(9))]), what: 'bytes added'};
	copy[at] = random.uniform() < 0.5 ? random.integer(256) : (copy[at] ?? 0) ^ (1 << random.integer(8));
	return {bytes: copy, what: `byte ${at} changed`};
}

/** One value of the weights changes: most of these files are whole. */
function changeData(bytes: Buffer, random: Random): Mutation {
	const copy = Buffer.from(bytes);
	const at = copy.length - 1 - random.integer(copy.length / 2);
	copy[at] = random.integer(256);
	return {bytes: copy, what: `byte ${at} of the data changed`};
}

export function mutated(bytes: Buffer, random: Random): Mutation {
	const draw = random.uniform();
	if (draw < 0.6) return changeHeader(bytes, random);
	if (draw < 0.75) return changeText(bytes, random);
	if (draw < 0.78) return changeLength(bytes, random);
	return draw < 0.9 ? changeBytes(bytes, random) : changeData(bytes, random);
}
