// Which kind of source some paths are.
import {folderSource} from './folder-source.ts';
import type {Source} from './source.ts';

/** @throws ALEXNET_FOLDER where they are none. */
export async function openSource(
	paths: readonly string[],
	_: {labels?: string | undefined; ilsvrc: boolean},
): Promise<Source> {
	return folderSource(paths[0] ?? '');
}
