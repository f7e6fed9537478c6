// Which kind of source some paths are.
import {stat} from 'node:fs/promises';
import {AlexNetError} from '../../base/errors.ts';
import {folderSource} from './folder-source.ts';
import {ilsvrcSource} from './ilsvrc-source.ts';
import {labelledSource} from './labelled-source.ts';
import {tarSource} from './tar-source.ts';
import type {Source} from './source.ts';

/** @throws ALEXNET_FOLDER where they are none; ALEXNET_ARGUMENT for several folders, or labels of archives. */
export async function openSource(
	paths: readonly string[],
	{labels, ilsvrc}: {labels: string | undefined; ilsvrc: boolean},
): Promise<Source> {
	const [first, ...others] = paths;
	if (first === undefined) throw new AlexNetError('ALEXNET_ARGUMENT', 'There is no source of pictures to prepare.');
	const areFolders = await Promise.all(paths.map(isFolder));
	const isOneFolder = areFolders[0] === true && others.length === 0;
	if (labels !== undefined && (ilsvrc || !isOneFolder)) {
		throw new AlexNetError(
			'ALEXNET_ARGUMENT',
			'labels is for one folder of pictures: archives tell the classes themselves.',
		);
	}
	if (ilsvrc) return ilsvrcSource(paths);
	if (labels !== undefined) return labelledSource(first, labels);
	if (isOneFolder) return folderSource(first);
	if (!areFolders.includes(true)) return tarSource(paths);
	throw new AlexNetError('ALEXNET_ARGUMENT', 'Several sources must all be archives: of folders one can be prepared.');
}

/** What is not there is told by who reads it. */
async function isFolder(path: string): Promise<boolean> {
	return stat(path).then(
		(found) => found.isDirectory(),
		() => !/\.(tar|tgz|gz)$/i.test(path),
	);
}
