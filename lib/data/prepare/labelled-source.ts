// A folder of pictures without class folders, and a file that tells the class of each.
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {AlexNetError} from '../../base/errors.ts';
import {reasonOf} from '../../base/files.ts';
import {byCodeUnits, listTree, pictureKinds} from '../listing.ts';
import {readFileOf} from './read-file.ts';
import type {Source, SourcePicture} from './source.ts';

/** What the first line of a table may call the names. */
const headings = ['name', 'file', 'filename', 'file_name', 'image', 'image_id', 'picture', 'path'];

/**
 * @param labelFile lines `name,class`, with or without a heading; or as ILSVRC has it a number a line, of the pictures in
 * the order of their names
 * @throws ALEXNET_FOLDER where the two do not fit each other.
 */
export async function labelledSource(dir: string, labelFile: string): Promise<Source> {
	const {pictures, others} = await listTree(dir, `a folder of ${pictureKinds} files`);
	const text = await readFile(labelFile, 'utf8').catch((error: unknown) => {
		throw new AlexNetError('ALEXNET_FOLDER', `'${labelFile}' cannot be read: ${reasonOf(error)}.`, {cause: error});
	});
	const lines = text
		.replace(/^\uFEFF/, '')
		.split(/\r?\n/)
		.filter((line) => line.trim() !== '');
	const areNumbers = lines.length > 0 && lines.every((line) => /^\s*\d+\s*$/.test(line));
	const labelOf = areNumbers ? byOrder(dir, labelFile, pictures, lines) : byName(dir, labelFile, pictures, lines);
	const labelled = pictures.flatMap((name) => {
		const label = labelOf.get(name);
		return label === undefined ? [] : [{name, label}];
	});
	const labels = [...new Set(labelled.map(({label}) => label))];
	labels.sort(areNumbers ? (first, second) => Number(first) - Number(second) : byCodeUnits);
	const places = new Map(labels.map((label, place) => [label, place]));
	const hash = createHash('sha256');
	for (const {name, label} of labelled) hash.update(`${label}\n${name.normalize('NFC')}\n`);
	const unlabelled = pictures.length - labelled.length;
	const remark = `${unlabelled} of ${pictures.length} pictures are left out: '${labelFile}' does not name them.`;
	return {
		...{labels, parts: 1, total: labelled.length, leftOut: others},
		remarks: unlabelled > 0 ? [remark] : [],
		identity: `labelled ${hash.digest('hex')}`,
		*pictures(from): Generator<SourcePicture, void, undefined> {
			for (const {name, label} of labelled.slice(from)) {
				const path = join(dir, name);
				yield {part: 0, label: places.get(label) ?? -1, name, path, read: () => readFileOf(path)};
			}
		},
	};
}

function byOrder(
	dir: string,
	labelFile: string,
	pictures: readonly string[],
	lines: readonly string[],
): ReadonlyMap<string, string> {
	if (lines.length !== pictures.length) {
		const message = `'${labelFile}' has ${lines.length} numbers, and '${dir}' ${pictures.length} pictures. Expected a number for each.`;
		throw new AlexNetError('ALEXNET_FOLDER', message);
	}
	return new Map(pictures.map((name, place) => [name, String(Number(lines[place]))]));
}

function byName(
	dir: string,
	labelFile: string,
	pictures: readonly string[],
	lines: readonly string[],
): ReadonlyMap<string, string> {
	const known = new Map(pictures.map((name) => [name.normalize('NFC'), name]));
	const found = new Map<string, string>();
	const missing: string[] = [];
	for (const [number, line] of lines.entries()) {
		const [name = '', label = '', ...more] = cellsOf(line);
		if (number === 0 && headings.includes(name.toLowerCase())) continue;
		if (name === '' || label === '' || more.length > 0) {
			const message = `Line ${number + 1} of '${labelFile}' is not "name,class": '${line.slice(0, 80)}'.`;
			throw new AlexNetError('ALEXNET_FOLDER', message);
		}
		const own = known.get(name.normalize('NFC').replace(/^\.\//, ''));
		if (own === undefined) missing.push(name);
		else found.set(own, label.normalize('NFC'));
	}
	if (missing.length === 0 && found.size > 0) return found;
	const shown = missing.slice(0, 5).map((name) => `'${name}'`);
	const what = missing.length > 0 ? shown.join(', ') : 'nothing';
	const message = `'${labelFile}' names ${what}${missing.length > 5 ? ` and ${missing.length - 5} others` : ''}, which '${dir}' does not hold.`;
	throw new AlexNetError('ALEXNET_FOLDER', message);
}

/** Of a line of CSV; with tabs where it has those. A cell in quotes may have commas, and two quotes for one. */
function cellsOf(line: string): string[] {
	const separator = line.includes('\t') ? '\t' : ',';
	const cells: string[] = [];
	for (let rest: string | undefined = line; rest !== undefined;) {
		const quoted: RegExpExecArray | null = /^\s*"((?:[^"]|"")*)"\s*/.exec(rest);
		const end: number = quoted ? quoted[0].length : rest.indexOf(separator);
		cells.push(quoted ? (quoted[1] ?? '').replaceAll('""', '"') : rest.slice(0, end < 0 ? undefined : end).trim());
		rest = end >= 0 && rest[end] === separator ? rest.slice(end + 1) : undefined;
	}
	return cells;
}
