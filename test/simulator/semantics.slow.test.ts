// What each instruction does: programs that run it on the simulator and compare with the host's own arithmetic.
import {readFileSync} from 'node:fs';
import {test} from '../cuda/nvcc.ts';
import {builtObjects} from './build.ts';
import {operateWith, programOf, simulate} from './programs.ts';

/** Runs a program of test/simulator/ that prints what is right, line by line. */
async function rightOnes(
	name: string,
	settings: Readonly<Record<string, string>> = {},
): Promise<{status: number | null; lines: string[]; reports: string[]}> {
	const {status, output, reports} = await simulate(await programOf(name), [], settings);
	return {status, lines: output.trimEnd().split('\n'), reports};
}

/** Data movement and control, which every kernel's own test needs to be right; arithmetic must be listed one by one. */
const structure = /^(ld|st|mov|cvta|bra|bar|ret|exit|call|brx|shfl|vote|activemask|atom|red|trap|mma|ldmatrix|cp)\b/;

test('arithmetic, instruction by instruction, and none that the kernels use is left out', async (t) => {
	t.timeout(300_000);
	const {status, lines, reports} = await rightOnes('arithmetic.cu');
	t.deepEqual(reports, []);
	t.deepEqual(
		lines.filter((line) => line.includes(' ')),
		[],
	);
	t.is(status, 0);
	const used = new Set<string>();
	for (const object of builtObjects().filter((file) => file.endsWith('.cu.o'))) {
		const statements = /^[ \t{]*(?:@!?%p\d+ )?([a-z][a-z0-9]*(?:\.[a-zA-Z0-9_:]+)+)[ \t]/gm;
		for (const [, opcode = ''] of readFileSync(object, 'latin1').matchAll(statements)) used.add(opcode);
	}
	t.true(used.has('fma.rn.f32'));
	const untested = [...used].filter((opcode) => !structure.test(opcode) && !lines.includes(opcode));
	t.deepEqual(untested, []);
});

test('approximate instructions are wrong by what the manual allows, where that is asked for', async (t) => {
	t.timeout(300_000);
	const {program} = await operateWith([]);
	const digests = new Set([(await simulate(program, ['softmax'])).output]);
	for (const way of ['up', 'down']) {
		const settings = {ALEXNET_SIMULATED_APPROXIMATE: way};
		const {status, lines, reports} = await rightOnes('arithmetic.cu', settings);
		const wrong = lines.filter((line) => line.includes(' '));
		t.deepEqual({status, wrong, reports}, {status: 0, wrong: [], reports: []}, way);
		digests.add((await simulate(program, ['softmax'], settings)).output);
	}
	t.is(digests.size, 3, 'each way gives results of its own');
});

test('what lanes do together, atomics, memory and control flow', async (t) => {
	t.timeout(300_000);
	const {status, lines, reports} = await rightOnes('warps.cu');
	t.deepEqual(reports, []);
	t.deepEqual(lines, [
		'shfl.sync.up.b32',
		'shfl.sync.down.b32',
		'shfl.sync.bfly.b32',
		'shfl.sync.idx.b32',
		'vote',
		'a shuffle and a vote of some lanes',
		'atom and red',
		'memory of every kind',
		'branches, loops and calls',
	]);
	t.is(status, 0);
});
