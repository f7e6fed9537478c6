// Kernels that are broken on purpose: the simulator must say what is wrong, in which kernel, and where.
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {scratchFolder, test} from '../cuda/nvcc.ts';
import {buildSimulator, compile, edited, lineOf, simulate, write} from './programs.ts';

interface Mutant {
	what: string;
	/** A place of the kernel that is there once, and what takes its place. */
	from: string;
	to: string;
	report: RegExp;
	/** Part of the line that the report must name; none where it is no line of the kernel. */
	at?: string;
}

const folder = scratchFolder();
anyTest.after.always(() => rmSync(folder, {recursive: true}));

test('the simulator builds', (t) => {
	t.timeout(600_000);
	t.notThrows(buildSimulator);
});

const lrnMutants: readonly Mutant[] = [
	{
		what: 'a shuffle mask that leaves out a live lane',
		from: 'kWarp = 0xffffffffU',
		to: 'kWarp = 0x7fffffffU',
		report: /the mask 0x7fffffff leaves out lane 31/,
		at: '__shfl_up_sync',
	},
	{
		what: 'lanes that exit before a shuffle',
		from: 'const bool inside = chunk < chunks;',
		to: 'const bool inside = true; if (chunk >= chunks) return;',
		report: /names lane \d+, which has exited/,
		at: '__shfl_up_sync',
	},
	{
		what: 'an index off by one in global memory',
		from: 'const bool inside = chunk < chunks;',
		to: 'const bool inside = chunk <= chunks;',
		report: /out of bounds: reads 16 bytes of global memory .* 0 bytes after the end of/,
		at: 'if (inside) load8(source, a);',
	},
	{
		what: 'a misaligned load of 16 bytes',
		from: 'if (inside) load8(source, a);',
		to: 'if (inside) load8(source + 1, a);',
		report: /misaligned: an access of 16 bytes/,
		at: 'if (inside) load8(source + 1, a);',
	},
	{
		what: 'a read of memory that nobody wrote',
		from: 'const T* source = input +',
		to: 'const T* source = output +',
		report: /reads 16 bytes of global memory at \d+ of \d+ that nobody wrote/,
		at: 'if (inside) load8(source, a);',
	},
	{
		what: 'more threads than the launch bounds allow',
		from: 'grid, kThreads, work.stream',
		to: 'grid, 2 * kThreads, work.stream',
		report: /cannot be launched with 512 threads in a block; its launch bounds say 256/,
	},
];

const sharedMutants: readonly Mutant[] = [
	{
		what: 'a removed __syncthreads()',
		from: '  __syncthreads();\n',
		to: '\n',
		report: /reads shared memory at 0x[0-9a-f]+ that nobody wrote|race: reads shared memory/,
		at: 'float sum = tile[',
	},
	{
		what: 'an index off by one in shared memory',
		from: 'tile[kThreads - 1 - thread]',
		to: 'tile[kThreads - thread]',
		report: /4 bytes at 0x400 of shared memory are outside its variables/,
		at: 'float sum = tile[',
	},
	{
		what: 'a barrier in divergent code',
		from: '  __syncthreads();\n',
		to: '  if (thread % 2 == 0) __syncthreads();\n',
		report: /a barrier in divergent code/,
		at: '__syncthreads()',
	},
	{
		what: 'a barrier that a part of the block reaches',
		from: '  __syncthreads();\n',
		to: '  if (thread >= 64) __syncthreads();\n',
		report: /a barrier that only a part of the block reaches|reads shared memory|race/,
	},
	{
		what: 'a race between writers',
		from: 'tile[thread] = at',
		to: 'tile[thread / 2] = at',
		report: /race: writes shared memory at 0x[0-9a-f]+ that thread \d+ wrote/,
		at: 'tile[thread / 2] = at',
	},
	{
		what: 'more shared memory than was opted in to',
		from: '<<<blocks, threads>>>',
		to: '<<<blocks, threads, 65536>>>',
		report: /cannot be launched with 66560 bytes of shared memory/,
	},
];

function check(
	file: string,
	sources: (mutated: string) => string[],
	kernel: string,
	mutant: Mutant,
	options: string[],
): void {
	test(`${kernel} with ${mutant.what}`, (t) => {
		t.timeout(300_000);
		const text = edited(file, mutant.from, mutant.to);
		const name = file.split('/').pop() ?? '';
		const program = join(folder, 'mutant');
		compile(program, ...sources(write(join(folder, name), text)));
		const {output, reports} = simulate(program, options);
		const report = reports[0] ?? '';
		t.true(report.startsWith(kernel), report);
		t.regex(report, mutant.report);
		if (mutant.at !== undefined) t.regex(report, new RegExp(`/${name}:${lineOf(text, mutant.at)}\\)`));
		t.notRegex(output, /^cudaSuccess/);
	});
}

// 333 chunks of 8 channels: the last warp is not full.
const lrnOptions = ['float32', '37', '72', '1', '3', '0.75'];
for (const mutant of lrnMutants) {
	check(
		'cuda/lrn.cu',
		(kernel) => ['-Icuda', kernel, 'test/simulator/lrn.cu', 'core/tensor.cc'],
		'lrnForwardKernel',
		mutant,
		lrnOptions,
	);
}
for (const mutant of sharedMutants) {
	check('test/simulator/shared.cu', (kernel) => [kernel], 'reverseKernel', mutant, []);
}

test('the kernels as they are run without a report, and the same in any order', (t) => {
	t.timeout(300_000);
	const lrn = join(folder, 'lrn'),
		shared = join(folder, 'shared');
	compile(lrn, 'test/simulator/lrn.cu', 'cuda/lrn.cu', 'core/tensor.cc');
	compile(shared, 'test/simulator/shared.cu');
	for (const [program, options] of [
		[lrn, lrnOptions],
		[shared, []],
	] as const) {
		const outputs = ['forward', 'reverse', 'random:1', 'random:2'].map((schedule) => {
			const {output, reports} = simulate(program, options, {ALEXNET_SIMULATED_SCHEDULE: schedule});
			t.deepEqual(reports, []);
			t.regex(output, /^cudaSuccess/);
			return output;
		});
		t.is(new Set(outputs).size, 1);
	}
});
