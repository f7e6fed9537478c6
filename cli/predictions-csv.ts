// What a net told of each picture, as a table for spreadsheets and programs: RFC 4180, UTF-8.
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {relative, sep} from 'node:path';
import {finished} from 'node:stream/promises';
import {replaceFile} from '../lib/base/files.ts';
import {couldNotWrite, inFolderOf} from '../lib/checkpoint/write-whole.ts';
import {AlexNetError, type Picture, type SeenPicture} from '../lib/index.ts';

/** Which pictures, by their places, and where they lie. */
export interface SeenPictures {
	readonly folder: string;
	readonly pictures: readonly Picture[];
	/** The model's. */
	readonly labels: readonly string[];
}

type During<T> = (see: (seen: SeenPicture) => void) => Promise<T>;

/**
 * Writes a row for each picture that `during` hands to `see`. The file is there as a whole or, where anything fails, not
 * at all, and what stood there before is untouched.
 *
 * @returns what `during` does
 * @throws ALEXNET_CHECKPOINT where it cannot be written; what `during` throws.
 */
export async function writePredictions<T>(path: string, pictures: SeenPictures, during: During<T>): Promise<T> {
	await requireNoFolder(path);
	return inFolderOf(path, async () => writeTable(path, pictures, during));
}

async function writeTable<T>(path: string, {folder, pictures, labels}: SeenPictures, during: During<T>): Promise<T> {
	const header = headerFor(labels.length);
	const outcome: {result?: T; thrown?: unknown} = {};
	try {
		await replaceFile(path, async (temporary) => {
			const file = createWriteStream(temporary);
			await once(file, 'open');
			file.on('error', () => undefined); // `see` throws it, or `finished`
			file.write(rowOf(header));
			const see = ({index, label, loss, top}: SeenPicture): void => {
				if (file.errored) throw file.errored;
				const picture = relative(folder, pictures[index]?.path ?? '').replaceAll(sep, '/');
				const told = top.flatMap(({label: other, probability}) => [named(labels[other]), short(probability)]);
				const cells = [locatable(picture), named(labels[label]), short(loss), ...told];
				file.write(rowOf(header.map((_, column) => cells[column] ?? ''))); // Of NaN no class was told.
			};
			try {
				outcome.result = await during(see);
				await finished(file.end());
			} catch (error) {
				file.destroy();
				if (error !== file.errored) outcome.thrown = error;
				throw error;
			}
		});
	} catch (error) {
		throw 'thrown' in outcome ? outcome.thrown : couldNotWrite(path, error);
	}
	return outcome.result as T;
}

/** A folder would be noticed only when the table is there and takes its place. */
async function requireNoFolder(path: string): Promise<void> {
	const found = await stat(path).catch(() => undefined);
	if (found?.isDirectory() !== true) return;
	throw new AlexNetError(
		'ALEXNET_ARGUMENT',
		`csv must be a file's path, and '${path}' is a folder. Name a file in it.`,
	);
}

/** Of the most probable classes as many as the net has, five at most: told, probability, told2, probability2, … */
function headerFor(classes: number): string[] {
	const told = Array.from({length: Math.min(5, classes)}, (_, place) => {
		const suffix = place === 0 ? '' : `${place + 1}`;
		return [`told${suffix}`, `probability${suffix}`];
	});
	return ['path', 'label', 'loss', ...told.flat()];
}

/** What a spreadsheet takes for the beginning of a formula, and would compute, whoever named the file. */
const formula = /^[=+\-@\t\r＝＋－＠]/;

/** The same file by another name, which no spreadsheet computes. */
function locatable(path: string): string {
	return formula.test(path) ? `./${path}` : path;
}

/** A class named as a number stays one; an apostrophe makes text of what would be a formula. */
function named(label = ''): string {
	return formula.test(label) && !/^[+-]?[\d.]+$/.test(label) ? `'${label}` : label;
}

/** So many digits tell every fp32 value from every other. */
function short(value: number): string {
	return String(Number(value.toPrecision(9)));
}

/** Quoted is whatever any program may split at or trim. */
function rowOf(cells: readonly string[]): string {
	const quoted = cells.map((cell) => (/^[\w./-]*$/.test(cell) ? cell : `"${cell.replaceAll('"', '""')}"`));
	return `${quoted.join(',')}\r\n`;
}
