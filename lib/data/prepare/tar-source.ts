// Archives of pictures: of class folders, or of pictures beside files that name their classes (WebDataset).
import {createHash} from 'node:crypto';
import {basename, extname} from 'node:path';
import {AlexNetError} from '../../base/errors.ts';
import {breather} from '../../base/breather.ts';
import {heldOutNames} from '../layout.ts';
import {byCodeUnits, isPassedOver, isPictureName} from '../listing.ts';
import {placedByClassFile, placedByFolders, type Placed, type TarPicture} from './tar-places.ts';
import {tarFiles} from './tar-entries.ts';
import {keyOf} from './tar-key.ts';
import type {Source, SourcePicture} from './source.ts';

/**
 * Reads the archives once for the names in them, and again for the pictures. Where an archive's name says that it is
 * held out (val.tar, pictures-test-0001.tar), all in it is.
 *
 * @throws ALEXNET_FOLDER where they cannot be read or hold no pictures in class folders; ALEXNET_LABEL where those held
 * out have a class that the others have not.
 */
export async function tarSource(archives: readonly string[]): Promise<Source> {
	const {pictures, classFiles, leftOut, identity} = await list(archives);
	const isHeldOut = archives.map((path) => wordsOf(path).some((word) => heldOutNames.includes(word)));
	const partOf = isHeldOut.includes(true) && isHeldOut.includes(false) ? isHeldOut.map(Number) : undefined;
	const placed =
		classFiles.size > 0 ? placedByClassFile(pictures, classFiles) : placedByFolders(archives, pictures, partOf);
	const labels = labelsOf(placed);
	if (labels.length === 0) throw noPictures(archives);
	const places = new Map(labels.map((label, place) => [label, place]));
	const parts = placed.map((each) => (each ? (each.part ?? partOf?.[each.archive] ?? 0) : 0));
	requireKnown(labels, placed, parts);
	const isOneOfMany = archives.length > 1 && classFiles.size > 0;
	return {
		...{labels, leftOut, identity},
		parts: parts.includes(1) ? 2 : 1,
		total: placed.filter((each) => each !== undefined).length,
		remarks: remarksOf(placed),
		async *pictures(from): AsyncGenerator<SourcePicture, void, undefined> {
			let [number, taken] = [-1, 0];
			for (const path of archives) {
				for await (const file of tarFiles(path)) {
					if (!isPicture(file.name)) continue;
					const place = placed[++number];
					if (!place || ++taken <= from) continue;
					const bytes = await file.read();
					const prefix = isOneOfMany ? `${basename(path, extname(path))}/` : '';
					yield {
						part: parts[number] ?? 0,
						label: places.get(place.label) ?? -1,
						name: prefix + place.name,
						path: `${path}/${file.name}`,
						read: () => Promise.resolve(bytes),
					};
				}
			}
		},
	};
}

const isPicture = (name: string): boolean => isPictureName(name) && !name.split('/').some(isPassedOver);

const wordsOf = (path: string): string[] =>
	basename(path)
		.toLowerCase()
		.split(/[^a-z]+/);

async function list(archives: readonly string[]) {
	const pictures: TarPicture[] = [];
	const classFiles = new Map<string, string>();
	const leftOut = new Map<string, number>();
	const hash = createHash('sha256');
	const breathe = breather();
	for (const [archive, path] of archives.entries()) {
		for await (const {name, size, read} of tarFiles(path)) {
			const extension = extname(name).toLowerCase();
			hash.update(`${archive} ${size} ${name}\n`);
			if (isPicture(name)) pictures.push({archive, name});
			else if (extension === '.cls')
				classFiles.set(`${archive} ${keyOf(name)}`, (await read()).toString('utf8').trim());
			else if (!name.split('/').some(isPassedOver)) leftOut.set(extension, (leftOut.get(extension) ?? 0) + 1);
			await breathe();
		}
	}
	if (pictures.length === 0) throw noPictures(archives);
	return {pictures, classFiles, leftOut, identity: `tar ${hash.digest('hex')}`};
}

function noPictures(archives: readonly string[]): AlexNetError {
	const names = archives.map((path) => `'${path}'`).join(', ');
	const message = `There are no pictures with a class in ${names}. Expected class folders, or key.jpg beside key.cls.`;
	return new AlexNetError('ALEXNET_FOLDER', message);
}

/** Numbers by their value, names by code units. */
function labelsOf(placed: readonly (Placed | undefined)[]): string[] {
	const labels = [...new Set(placed.flatMap((each) => (each ? [each.label] : [])))];
	const areNumbers = placed.some((each) => each?.isNumbered) && labels.every((label) => /^\d+$/.test(label));
	return labels.sort(areNumbers ? (first, second) => Number(first) - Number(second) : byCodeUnits);
}

function requireKnown(
	labels: readonly string[],
	placed: readonly (Placed | undefined)[],
	parts: readonly number[],
): void {
	const known = new Set(placed.flatMap((each, place) => (each && parts[place] === 0 ? [each.label] : [])));
	const unknown = labels.filter((label) => !known.has(label));
	if (unknown.length === 0) return;
	const message = `Held-out pictures are of classes that none to train on is of: ${unknown.slice(0, 5).join(', ')}.`;
	throw new AlexNetError('ALEXNET_LABEL', message);
}

function remarksOf(placed: readonly (Placed | undefined)[]): string[] {
	const strays = placed.filter((each) => each === undefined).length;
	return strays > 0 ? [`${strays} of ${placed.length} pictures are left out: no class is named for them.`] : [];
}
