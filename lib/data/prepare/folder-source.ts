// A folder with one folder per class, as ImageFolder takes it.
import {createHash} from 'node:crypto';
import {join} from 'node:path';
import {breather} from '../../base/breather.ts';
import {listParts} from '../parts.ts';
import {readFileOf} from './read-file.ts';
import type {Source, SourcePicture} from './source.ts';

/** @throws as `ImageFolder.open` does. */
export async function folderSource(dir: string): Promise<Source> {
	const {labels, parts, leftOut, remarks} = await listParts(dir);
	const places = new Map(labels.map((label, place) => [label, place]));
	const hash = createHash('sha256');
	const breathe = breather();
	let total = 0;
	for (const [part, classes] of parts.entries()) {
		for (const {label, paths} of classes) {
			hash.update(`${part} ${label}\n`);
			for (const path of paths) {
				hash.update(`${path.normalize('NFC')}\n`);
				await breathe();
			}
			total += paths.length;
		}
	}
	return {
		...{labels, total, leftOut, remarks},
		parts: parts.length > 1 ? 2 : 1,
		identity: `folder ${hash.digest('hex')}`,
		*pictures(from): Generator<SourcePicture, void, undefined> {
			let behind = from;
			for (const [part, classes] of parts.entries()) {
				for (const {label, folder, paths} of classes) {
					const place = places.get(label) ?? -1;
					for (const name of paths.slice(behind)) {
						const path = join(folder, name);
						yield {part, label: place, name, path, read: () => readFileOf(path)};
					}
					behind = Math.max(0, behind - paths.length);
				}
			}
		},
	};
}
