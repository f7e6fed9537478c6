// Files of feature vectors: safetensors, which say where they come from, and NumPy's npy for other programs.
import {dirname, extname, join, relative} from 'node:path';
import {checked, fields, filePath, listOf, must, text, where, type Check} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {reasonOf} from '../base/files.ts';
import {JsonReader, parseShallow} from '../base/json.ts';
import {SafetensorsFile, writeSafetensors} from '../checkpoint/safetensors.ts';
import {bytesOf, writeWhole} from '../checkpoint/write-whole.ts';
import type {Metadata} from '../checkpoint/safetensors-header.ts';

/** Vectors of pictures, and where they come from. */
export interface Features {
	/** The pictures' paths in `folder`, with '/'. */
	readonly names: readonly string[];
	/** [names, width] */
	readonly values: Float32Array;
	/** Values of a picture. */
	readonly width: number;
	readonly layer: string;
	/** Views of a picture that were averaged. */
	readonly crops: 1 | 10;
	readonly checkpoint: string;
	/** Of the pictures. */
	readonly folder: string;
}

const format = 'alexnet-cuda-features';

/** By the ending of the file's name. */
const writers = {'.safetensors': writeTensor, '.npy': writeNumpy} as const;

/** The path of a file that {@link writeFeatures} can write. */
export const featuresPath = where(
	filePath,
	(path) => extname(path) in writers,
	`a path that ends in ${Object.keys(writers).join(' or ')}`,
);

/**
 * Writes a tensor `features`, [pictures, width] in fp32. A safetensors file has the pictures' names and the vectors'
 * origin in its metadata; paths there are relative to the file. Beside an npy file lies a text file of the same name with
 * a picture's name a line.
 *
 * @throws ALEXNET_CHECKPOINT where it cannot be written.
 */
export async function writeFeatures(path: string, features: Features): Promise<void> {
	await writers[extname(checked('path', featuresPath, path)) as keyof typeof writers](path, features);
}

async function writeTensor(path: string, {names, values, width, ...origin}: Features): Promise<void> {
	const from = (target: string): string => relative(dirname(path), target);
	const {layer, crops, checkpoint, folder} = origin;
	const metadata: Metadata = {
		...{format, layer, crops: String(crops), checkpoint: from(checkpoint), folder: from(folder)},
		names: encoded(path, names),
	};
	const tensor = {name: 'features', shape: [names.length, width], read: () => Promise.resolve(values)};
	await writeSafetensors(path, [tensor], metadata);
}

function encoded(path: string, names: readonly string[]): string {
	const json = JSON.stringify(names);
	try {
		new JsonReader().requireBounded(json);
		return json;
	} catch (error) {
		const message = `${path} is not written, as its names could not be read again: ${reasonOf(error)}. Write .npy.`;
		throw new AlexNetError('ALEXNET_CHECKPOINT', message, {cause: error});
	}
}

async function writeNumpy(path: string, {names, values, width}: Features): Promise<void> {
	const broken = names.find((name) => name.includes('\n'));
	if (broken !== undefined) {
		const message = `A text file of names, one a line, cannot hold ${JSON.stringify(broken)}. Write .safetensors, or rename the picture.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${names.length}, ${width}), }`;
	const preamble = 10;
	// The values begin at a multiple of 64.
	const header = `${dictionary.padEnd(dictionary.length + 63 - ((preamble + dictionary.length) % 64))}\n`;
	const start = Buffer.from(`\x93NUMPY\x01\x00\0\0${header}`, 'latin1');
	start.writeUInt16LE(header.length, preamble - 2);
	await writeWhole(path, async (write) => {
		await write(start);
		await write(bytesOf(values));
	});
	await writeWhole(path.replace(/npy$/, 'txt'), (write) =>
		write(Buffer.from(names.map((name) => `${name}\n`).join(''))),
	);
}

interface Origin {
	readonly layer: string;
	readonly crops: 1 | 10;
	readonly checkpoint: string;
	readonly folder: string;
	readonly names: readonly string[];
}

const originCheck: Check<Origin> = fields<Origin>({
	layer: text,
	crops: must<1 | 10>('1 or 10', (value) => value === 1 || value === 10),
	checkpoint: text,
	folder: text,
	names: listOf(text),
});

/**
 * Reads what {@link writeFeatures} has written as safetensors.
 *
 * @throws ALEXNET_CHECKPOINT where the file is missing, cut short, damaged, or of another kind.
 */
export async function readFeatures(path: string): Promise<Features> {
	const file = await SafetensorsFile.open(checked('path', filePath, path));
	try {
		const {names, ...origin} = originOf(path, file.metadata);
		const [, width = 0] = file.shapeOf('features') ?? [];
		const values = await file.read('features', [names.length, width]);
		const from = (target: string): string => join(dirname(path), target);
		return {...origin, names, values, width, checkpoint: from(origin.checkpoint), folder: from(origin.folder)};
	} finally {
		await file.close();
	}
}

function originOf(path: string, {format: found, crops, names, ...rest}: Metadata): Origin {
	if (found !== format) {
		const message = `${path} is a safetensors file, but not of features. Write one with alexnet features.`;
		throw new AlexNetError('ALEXNET_CHECKPOINT', message);
	}
	try {
		return checked('the metadata', originCheck, {...rest, crops: Number(crops), names: parseShallow(names ?? '')});
	} catch (error) {
		throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is damaged: ${reasonOf(error)}.`, {cause: error});
	}
}
