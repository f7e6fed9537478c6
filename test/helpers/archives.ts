// Archives of pictures, and ILSVRC's as they are laid out.
import {createWriteStream} from 'node:fs';
import {buffer} from 'node:stream/consumers';
import {pipeline} from 'node:stream/promises';
import {createGzip, deflateSync} from 'node:zlib';
import {pack} from 'tar-stream';

export type Files = readonly (readonly [string, Uint8Array | string])[];

function packed(files: Files) {
	const archive = pack();
	archive.entry({name: 'a folder/', type: 'directory'});
	for (const [name, bytes] of files) archive.entry({name}, Buffer.from(bytes));
	archive.finalize();
	return archive;
}

/** Compressed where its name ends so. */
export async function writeTar(path: string, files: Files): Promise<void> {
	const file = createWriteStream(path);
	if (path.endsWith('gz')) await pipeline(packed(files), createGzip(), file);
	else await pipeline(packed(files), file);
}

export const tarOf = async (files: Files): Promise<Buffer> => buffer(packed(files));

export interface Synset {
	readonly id: number;
	readonly wnid: string;
	readonly words: string;
	readonly children: readonly number[];
	readonly pictures: number;
}

/** data/meta.mat: `synsets` as MATLAB writes it, behind another array. */
export function metaOf(synsets: readonly Synset[]): Buffer {
	const number = (...values: number[]): Buffer => array(6, [1, values.length], element(9, doubles(values)));
	const text = (value: string): Buffer => array(4, [1, value.length], element(4, Buffer.from(value, 'utf16le')));
	const names = [
		'ILSVRC2012_ID',
		'WNID',
		'words',
		'gloss',
		'num_children',
		'children',
		'wordnet_height',
		'num_train_images',
	];
	const table = Buffer.concat(names.map((name) => Buffer.alloc(32).fill(name, 0, name.length, 'latin1')));
	const fields = synsets.flatMap(({id, wnid, words, children, pictures}) => [
		...[number(id), text(wnid), text(words), text('a gloss of it')],
		...[number(children.length), number(...children), number(1), number(pictures)],
	]);
	// The length of names fits into the tag itself.
	const nameLength = Buffer.from([5, 0, 4, 0, 32, 0, 0, 0]);
	const body = Buffer.concat([nameLength, element(1, table), ...fields]);
	const other = array(6, [1, 1], element(9, doubles([7])), 'other');
	const all = array(2, [synsets.length, 1], body, 'synsets');
	const header = Buffer.alloc(128, ' ');
	header.writeUInt16LE(0x0100, 124);
	header.write('IM', 126, 'latin1');
	return Buffer.concat([header, ...[other, all].map((each) => tagged(15, deflateSync(each)))]);
}

const doubles = (values: readonly number[]): Buffer => Buffer.from(Float64Array.from(values).buffer);

function tagged(type: number, data: Buffer): Buffer {
	const tag = Buffer.alloc(8);
	tag.writeUInt32LE(type, 0);
	tag.writeUInt32LE(data.length, 4);
	return Buffer.concat([tag, data]);
}

const element = (type: number, data: Buffer): Buffer =>
	tagged(type, data).length % 8 === 0
		? tagged(type, data)
		: Buffer.concat([tagged(type, data), Buffer.alloc(8 - (data.length % 8))]);

function array(kind: number, dimensions: readonly number[], content: Buffer, name = ''): Buffer {
	const [flags, sizes] = [Buffer.alloc(8), Buffer.alloc(4 * dimensions.length)];
	flags.writeUInt32LE(kind);
	dimensions.forEach((size, place) => sizes.writeInt32LE(size, place * 4));
	return element(14, Buffer.concat([element(6, flags), element(5, sizes), element(1, Buffer.from(name)), content]));
}

/** The three archives of a made-up ILSVRC-2012: train.tar, val.tar, devkit.tar.gz. */
export async function writeIlsvrc(
	folder: string,
	synsets: readonly Synset[],
	train: Readonly<Record<string, Files>>,
	validation: Files,
	truth: readonly number[],
): Promise<[string, string, string]> {
	const paths: [string, string, string] = [`${folder}/train.tar`, `${folder}/val.tar`, `${folder}/devkit.tar.gz`];
	const classes = await Promise.all(
		Object.entries(train).map(async ([wnid, files]) => [`${wnid}.tar`, await tarOf(files)] as const),
	);
	await writeTar(paths[0], classes);
	await writeTar(paths[1], validation);
	const kit = 'ILSVRC2012_devkit_t12';
	await writeTar(paths[2], [
		[`${kit}/readme.txt`, 'Development kit'],
		[`${kit}/data/meta.mat`, metaOf(synsets)],
		[`${kit}/data/ILSVRC2012_validation_ground_truth.txt`, truth.map((id) => `${id}\n`).join('')],
		[`${kit}/evaluation/VOCreadxml.m`, 'function rec = VOCreadxml(path)'],
	]);
	return paths;
}
