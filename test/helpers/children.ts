// The child processes that this process has, those that have ended and that nobody has awaited included.
import {existsSync, readdirSync, readFileSync} from 'node:fs';

const tasks = '/proc/self/task';

/** Their numbers, whichever thread started them. */
export function children(): number[] {
	// A thread may end while they are listed.
	const files = readdirSync(tasks).map((thread) => `${tasks}/${thread}/children`);
	const lists = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
	return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}
