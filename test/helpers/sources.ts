// This checkout's files, for tests that read them.
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Paths from the root of what lies below a folder. */
export function filesBelow(folder: string, extension = /(?:)/): string[] {
	return readdirSync(join(root, folder), {recursive: true, encoding: 'utf8'})
		.filter((name) => extension.test(name))
		.map((name) => join(folder, name));
}
