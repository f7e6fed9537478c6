// The threads that share loops (cpu/openmp.cc), in a program of their own.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {root} from '../helpers/sources.ts';

const sources = ['test/cpu/loops.cc', 'cpu/openmp.cc', 'cpu/threads.cc', 'cpu/cgroup.cc'];

test('loops, barriers and loops in loops are right with more threads than cores', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'alexnet-loops-'));
	// What a sanitizer preloads is not for these programs.
	const env = {...process.env, LD_PRELOAD: ''};
	try {
		const program = join(folder, 'loops');
		execFileSync('g++', ['-std=c++17', '-fopenmp', '-O2', ...sources, '-o', program, '-lpthread'], {cwd: root, env});
		t.is(execFileSync(program, {encoding: 'utf8', timeout: 120_000, env}), '0\n');
	} finally {
		rmSync(folder, {recursive: true});
	}
});
