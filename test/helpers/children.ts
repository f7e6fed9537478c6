// The child processes that this process has, those that have ended and that nobody has awaited included.
import {readdirSync, readFileSync} from 'node:fs';

const tasks = '/proc/self/task';

/** Their numbers, whichever thread started them; but not tsx's compiler, which runs where a file was never compiled. */
export function children(): number[] {
	// A thread or a process may end while they are listed.
	const files = readdirSync(tasks).map((thread) => `${tasks}/${thread}/children`);
	const lists = files.map(contents).flatMap((list) => list.split(' ').filter(Boolean));
	return lists
		.map(Number)
		.filter((process_) => !contents(`/proc/${process_}/cmdline`).includes('/esbuild\0--service='));
}

function contents(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return '';
	}
}
