// Counters of kernels whose instructions, wavefronts and sectors are known by hand.
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from '../cuda/nvcc.ts';
import {root} from '../helpers/sources.ts';
import {lineOf} from './mutant.ts';
import {programOf, simulate} from './programs.ts';

interface Access {
	counted: number;
	ideal: number;
}

interface Counted {
	kernel: string;
	ptx: number;
	grid: number[];
	block: number[];
	sharedBytes: number;
	launches: number;
	instructions: Record<string, number>;
	wavefronts: Record<string, Access>;
	sectors: Record<string, Access>;
	distinctSectors: {readByBlocks: number; read: number; written: number};
	lines: {at: string; opcode: string; executed: number; wavefronts?: Access; sectors?: Access}[];
}

const source = 'test/simulator/counters.cu';
const text = readFileSync(join(root, source), 'utf8');
const warps = 4;

let counted: Promise<Counted[]> | undefined;
async function count(): Promise<Counted[]> {
	const folder = mkdtempSync(join(tmpdir(), 'alexnet-counters-'));
	try {
		const outcome = await simulate(await programOf('counters.cu'), [], {ALEXNET_SIMULATED_COUNTERS: folder});
		if (outcome.status !== 0) throw new Error(outcome.output);
		return readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Counted[]);
	} finally {
		rmSync(folder, {recursive: true});
	}
}
const counters = async (kernel: string): Promise<Counted[]> =>
	(await (counted ??= count())).filter((entry) => entry.kernel === kernel);

/** Of one warp, by a part of the source line. */
function perWarp(entry: Counted, part: string): {executed: number; wavefronts?: number[]; sectors?: number[]} {
	const place = `${source}:${lineOf(text, part)}`;
	const lines = entry.lines.filter(({at}) => at === place || at.endsWith(` from ${place}`));
	if (lines.length !== 1) throw new Error(`${lines.length} lines of '${part}'`);
	const each = (access: Access): number[] => [access.counted / warps, access.ideal / warps];
	const {executed, wavefronts, sectors} = lines[0]!;
	return {
		executed: executed / warps,
		...(wavefronts && {wavefronts: each(wavefronts)}),
		...(sectors && {sectors: each(sectors)}),
	};
}

const sum = (accesses: readonly number[][]): Access => ({
	counted: warps * accesses.reduce((total, [value]) => total + value!, 0),
	ideal: warps * accesses.reduce((total, [, value]) => total + value!, 0),
});

test('sectors of global memory', async (t) => {
	const [entry] = await counters('globalKernel');
	const loads = {
		'// all neighbours': [4, 4],
		"// not from a sector's": [5, 4],
		'// every second float': [8, 4],
		'// one of each sector': [32, 4],
		'// the same for many': [2, 1],
		'// 16 bytes each': [16, 16],
		'// some lanes': [1, 1],
	};
	for (const [part, sectors] of Object.entries(loads)) {
		t.deepEqual(perWarp(entry!, part), {executed: 1, sectors}, part);
	}
	t.deepEqual(entry!.sectors, {ldg: sum(Object.values(loads)), stg: sum([[4, 4]]), atomic: sum([[1, 1]])});
	const {ldg, stg, atomic, lds, branch} = entry!.instructions;
	t.deepEqual({ldg, stg, atomic, lds}, {ldg: 7 * warps, stg: warps, atomic: warps, lds: 0});
	t.true(branch! > 0);
	// 32 sectors lie at every eighth word, one beyond; 16 are written; all read and write one with an atomic.
	t.deepEqual(entry!.distinctSectors, {readByBlocks: 2 * 34, read: 34, written: 17});
	t.deepEqual([entry!.grid, entry!.block, entry!.sharedBytes, entry!.launches], [[2, 1, 1], [64, 1, 1], 0, 1]);
	t.is(entry!.ptx, 80);
});

test('wavefronts of shared memory', async (t) => {
	const [entry] = await counters('sharedKernel');
	t.deepEqual(perWarp(entry!, '// neighbours, 32 times'), {executed: 32, wavefronts: [32, 32]});
	const kinds = {
		lds: {
			'// every second word': [2, 1],
			'// one bank': [32, 1],
			'// few words': [1, 1],
			'// every third word': [1, 1],
			'// 16 bytes side by side': [4, 4],
			'// 16 of 32 bytes': [8, 4],
		},
		ldmatrix: {
			'// close rows': [16, 4],
			'// rows with gaps': [4, 4],
		},
		sts: {
			'// 8 bytes side by side': [2, 2],
			'// 8 of 16 bytes': [4, 2],
		},
	};
	for (const [kind, lines] of Object.entries(kinds)) {
		for (const [part, wavefronts] of Object.entries(lines)) {
			t.deepEqual(perWarp(entry!, part), {executed: 1, wavefronts}, part);
		}
		const more = kind === 'sts' ? [[32, 32]] : [];
		t.deepEqual(entry!.wavefronts[kind], sum([...Object.values(lines), ...more]), kind);
	}
	const {lds, sts, ldmatrix, bar} = entry!.instructions;
	t.deepEqual({lds, sts, ldmatrix, bar}, {lds: 6 * warps, sts: 34 * warps, ldmatrix: 2 * warps, bar: 3 * warps});
	t.is(entry!.sharedBytes, 8192);
});

test('copies beside the thread count on both sides', async (t) => {
	const [entry] = await counters('copyKernel');
	const lines = {
		'// side by side': {executed: 1, wavefronts: [4, 4], sectors: [16, 16]},
		'// every second 16 bytes': {executed: 1, wavefronts: [4, 4], sectors: [32, 16]},
		'// every second lane reads nothing': {executed: 1, wavefronts: [32, 4], sectors: [16, 8]},
	};
	for (const [part, expected] of Object.entries(lines)) t.deepEqual(perWarp(entry!, part), expected, part);
	t.deepEqual(entry!.wavefronts.cpAsync, sum(Object.values(lines).map(({wavefronts}) => wavefronts)));
	t.deepEqual(entry!.sectors.cpAsync, sum(Object.values(lines).map(({sectors}) => sectors)));
	const {cpAsync, lds, stg} = entry!.instructions;
	t.deepEqual({cpAsync, lds, stg}, {cpAsync: 3 * warps, lds: warps, stg: warps}); // waits are no copies
});

test('instructions by kind, for each shape of launch', async (t) => {
	const entries = await counters('arithmeticKernel');
	t.deepEqual(
		entries.map(({grid, launches}) => [grid[0], launches]),
		[
			[2, 2],
			[4, 1],
		],
	);
	for (const [index, {instructions}] of entries.entries()) {
		const blocks = index === 0 ? 2 * 2 : 4;
		const rounds = index === 0 ? 7 : 1;
		const {ffma, mma, bar} = instructions;
		const both = blocks * 2 * rounds; // warps, times rounds
		t.deepEqual({ffma, mma, bar}, {ffma: 2 * both + blocks, mma: both, bar: both});
	}
});
