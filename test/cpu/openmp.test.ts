// The threads that share loops (cpu/openmp.cc), in a program of their own: as it is, and under the thread sanitizer.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = ['test/cpu/loops.cc', 'cpu/openmp.cc', 'cpu/threads.cc', 'cpu/cgroup.cc'];

for (const flags of [['-O2'], ['-O1', '-g', '-fsanitize=thread']]) {
	test(`loops, barriers and loops in loops are right with more threads than cores, ${flags.join(' ')}`, (t) => {
		const folder = mkdtempSync(join(tmpdir(), 'alexnet-loops-'));
		try {
			const program = join(folder, 'loops');
			execFileSync('g++', ['-std=c++17', '-fopenmp', ...flags, ...sources, '-o', program, '-lpthread'], {cwd: root});
			// A race ends it with an error.
			t.is(execFileSync(program, {encoding: 'utf8', timeout: 120_000}), '0\n');
		} finally {
			rmSync(folder, {recursive: true});
		}
	});
}
