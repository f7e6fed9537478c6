// How a GEMM is divided among a GPU's blocks, with split-K, and launches with dynamic shared memory. Needs no GPU.
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {linesOf, runNvcc, scratchFolder, test, withDriver} from './nvcc.ts';

const folder = scratchFolder();
const program = join(folder, 'split-k');
anyTest.after.always(() => rmSync(folder, {recursive: true}));

test('the program builds', (t) => {
	const runtime = ['check', 'status'].map((name) => `cuda/runtime/${name}.cc`);
	const tilings = ['cuda/gemm/split_k.cc', 'cuda/gemm/mma/tiling.cc'];
	const sources = ['test/cuda/split-k.cu', ...tilings, ...runtime, 'core/tensor.cc'];
	const flags = ['-std=c++17', '-arch=sm_80', '-Xcompiler=-Wall,-Wextra,-Wshadow', '--threads=0'];
	t.notRegex(runNvcc(...flags, ...sources, '-o', program), /warning/i);
});

interface Gemm {
	what: string;
	rows: number;
	columns: number;
	depth: number;
	groups?: number;
	bytes?: 2 | 4;
	vector?: boolean;
}

interface Tiling {
	tile: {rows: number; columns: number; depth: number};
	rowTiles: number;
	columnTiles: number;
	steps: number;
	stepsPerSplit: number;
	splits: number;
}

/** On tensor cores where the compute capability is 80 or more. */
function tilingOf(gemm: Gemm, multiprocessors: number, capability = 75): Tiling {
	const {rows, columns, depth, groups = 1, bytes = 4, vector = true} = gemm;
	const options = [rows, columns, depth, groups, bytes, Number(vector), multiprocessors, capability];
	const numbers = linesOf(program, ['tiling', ...options.map(String)]).map(Number);
	const [tileRows = 0, tileColumns = 0, tileDepth = 0, rowTiles = 0, columnTiles = 0, ...depths] = numbers;
	const [steps = 0, stepsPerSplit = 0, splits = 0] = depths;
	const tile = {rows: tileRows, columns: tileColumns, depth: tileDepth};
	return {tile, rowTiles, columnTiles, steps, stepsPerSplit, splits};
}

const gemms: Gemm[] = [
	{what: 'one of everything', rows: 1, columns: 1, depth: 1},
	{what: 'tails', rows: 129, columns: 65, depth: 130, bytes: 2},
	{what: 'conv2 forward, 128 pictures', rows: 128 * 27 * 27, columns: 128, depth: 25 * 48, groups: 2, bytes: 2},
	{what: 'conv2 forward, one picture', rows: 27 * 27, columns: 128, depth: 25 * 48, groups: 2},
	{what: 'conv2 weights', rows: 128, columns: 25 * 48, depth: 128 * 27 * 27, groups: 2},
	{what: 'conv5 weights', rows: 128, columns: 9 * 192, depth: 128 * 13 * 13, groups: 2, bytes: 2},
	{what: 'fc6 forward, 128 pictures', rows: 128, columns: 4096, depth: 9216},
	{what: 'fc6 weights', rows: 4096, columns: 9216, depth: 128},
	{what: 'fc8 weights, one picture', rows: 1000, columns: 4096, depth: 1, bytes: 2},
	{what: 'channels off 8', rows: 5000, columns: 13, depth: 189, vector: false},
	{what: '65,535 groups', rows: 100, columns: 1, depth: 4096, groups: 65_535, vector: false},
	{what: 'pictures of 2^31 pixels', rows: 2 ** 31, columns: 64, depth: 27, vector: false},
];

for (const gemm of gemms) {
	for (const multiprocessors of [1, 30, 132]) {
		for (const capability of [75, 80, 89, 90].filter((each) => each === 75 || gemm.vector !== false)) {
			test(`${gemm.what} on ${multiprocessors} multiprocessors of ${capability}: all is covered once`, (t) => {
				const {tile, rowTiles, columnTiles, steps, stepsPerSplit, splits} = tilingOf(gemm, multiprocessors, capability);
				const {rows, columns, depth, groups = 1, bytes = 4, vector = true} = gemm;
				t.is(rowTiles, Math.ceil(rows / tile.rows));
				t.is(columnTiles, Math.ceil(columns / tile.columns));
				t.is(tile.depth, (capability === 75 ? 32 : 64) / bytes);
				t.is(steps, Math.ceil(depth / tile.depth));
				t.true(splits * stepsPerSplit >= steps, 'the splits cover the depth');
				t.true((splits - 1) * stepsPerSplit < steps, 'no split is empty');
				t.true(groups * splits <= 65_535, 'groups and splits fit into grid.z');
				const most = capability === 75 ? 2 ** 28 : multiprocessors * 2 ** 18;
				t.true(splits === 1 || splits * rows * columns * groups * 4 <= most, 'the partial sums fit');
				if (!vector) t.is(tile.rows, 64, 'operands without 16-byte pieces have small tiles only');
			});
		}
	}
}

test('a full GPU gets large tiles, and split-K where tiles are few', (t) => {
	const [forward, single, weights] = gemms.slice(2, 5).map((gemm) => tilingOf(gemm, 132));
	t.like(forward, {tile: {rows: 128, columns: 128}, splits: 1});
	t.like(single, {tile: {rows: 64, columns: 64}});
	t.true(single!.splits > 1);
	t.like(weights, {tile: {rows: 128, columns: 128}});
	t.true(weights!.splits > 1);
});

test('on tensor cores, large tiles where they multiply fast, small ones where they do not', (t) => {
	const [forward, , weights] = gemms.slice(2, 5).map((gemm) => tilingOf(gemm, 132, 90));
	t.like(forward, {tile: {rows: 256, columns: 128}, splits: 1});
	t.like(weights, {tile: {rows: 128, columns: 256}});
	t.true(weights!.splits > 1);
	t.like(tilingOf(gemms[2]!, 128, 89), {tile: {rows: 64, columns: 64}, splits: 1});
});

test('a block that needs more shared memory than the GPU has is refused, naming the kernel', (t) => {
	const [code, message = ''] = linesOf(program, ['shared', '65537', '65536']);
	t.is(code, 'ALEXNET_OPERATION');
	t.regex(message, /^emptyKernel: a block needs 65537 bytes of shared memory, this GPU has 65536\.$/);
});

for (const bytes of ['49152', '49153']) {
	test(`a launch with ${bytes} bytes of shared memory reaches the runtime`, (t) => {
		const [code, message = ''] = linesOf(program, ['shared', bytes, '65536'], withDriver(folder, 13000));
		t.is(code, 'ALEXNET_OPERATION');
		t.regex(message, /^emptyKernel: .* \(cudaErrorNoDevice\)\.$/);
	});
}
