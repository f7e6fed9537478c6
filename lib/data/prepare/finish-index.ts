// The index of all shards, once these are whole.
import {join} from 'node:path';
import {AlexNetError} from '../../base/errors.ts';
import {breather} from '../../base/breather.ts';
import {inOrderOf} from '../listing.ts';
import {indexName, type PackedAs, type PackedEntry} from '../packed/format.ts';
import {writeIndex} from '../packed/index-file.ts';
import type {ShardList} from './preparation.ts';
import type {Source} from './source.ts';

/** Brings the pictures into a folder's order: by parts, classes and names. */
export async function finishIndex(
	out: string,
	source: Source,
	{as, imageSize}: {as: PackedAs; imageSize: number},
	lists: readonly ShardList[],
): Promise<void> {
	const {labels, remarks} = source;
	const parts = Array.from({length: source.parts}, () => labels.map((): PackedEntry[] => []));
	for (const {entries} of lists) for (const entry of entries) parts[entry.part]?.[entry.label]?.push(entry);
	const empty = parts[0]?.findIndex(({length}) => length === 0) ?? -1;
	if (empty >= 0) {
		const message = `There is no picture to train on of class '${labels[empty] ?? ''}'. Is the archive whole?`;
		throw new AlexNetError('ALEXNET_FOLDER', message);
	}
	const breathe = breather();
	const sorted: PackedEntry[] = [];
	for (const entries of parts.flat()) {
		for (const entry of inOrderOf(entries, ({name}) => name)) sorted.push(entry);
		await breathe();
	}
	const leftOut = [...source.leftOut].map(([extension, files]) => ({extension, files}));
	const counts = parts.map((classes) => classes.map(({length}) => length));
	const shards = lists.map(({bytes}) => bytes);
	const type = 'alexnet-pictures-1';
	await writeIndex(
		join(out, indexName),
		{type, as, imageSize, labels, parts: counts, shards, leftOut, remarks},
		sorted,
	);
}
