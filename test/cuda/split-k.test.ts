// How matrix products are divided among a GPU's blocks, and launches with dynamic shared memory. Needs no GPU.
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {linesOf, runNvcc, scratchFolder, test, withDriver} from './nvcc.ts';

const folder = scratchFolder();
const program = join(folder, 'division');
anyTest.after.always(() => rmSync(folder, {recursive: true}));

test('the program builds', (t) => {
	const sources = ['test/cuda/split-k.cu', 'cuda/gemm/split_k.cc', 'core/tensor.cc'];
	const flags = ['-std=c++17', '-arch=sm_80', '-Xcompiler=-Wall,-Wextra,-Wshadow', '--threads=0'];
	t.notRegex(runNvcc(...flags, ...sources, '-o', program), /warning/i);
});

interface Product {
	what: string;
	rows: number;
	columns: number;
	depth: number;
	groups?: number;
	bytes?: 2 | 4;
	vector?: boolean;
}

interface Division {
	tile: number;
	rowTiles: number;
	columnTiles: number;
	steps: number;
	stepsOfPart: number;
	parts: number;
}

function divide(product: Product, multiprocessors: number): Division {
	const {rows, columns, depth, groups = 1, bytes = 4, vector = true} = product;
	const options = [rows, columns, depth, groups, bytes, Number(vector), multiprocessors];
	const numbers = linesOf(program, ['divide', ...options.map(String)]).map(Number);
	const [tile = 0, rowTiles = 0, columnTiles = 0, steps = 0, stepsOfPart = 0, parts = 0] = numbers;
	return {tile, rowTiles, columnTiles, steps, stepsOfPart, parts};
}

const products: Product[] = [
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

for (const product of products) {
	for (const multiprocessors of [1, 30, 132]) {
		test(`${product.what} on ${multiprocessors} multiprocessors: all is covered once`, (t) => {
			const {tile, rowTiles, columnTiles, steps, stepsOfPart, parts} = divide(product, multiprocessors);
			const {rows, columns, depth, groups = 1, bytes = 4, vector = true} = product;
			t.is(rowTiles, Math.ceil(rows / tile));
			t.is(columnTiles, Math.ceil(columns / tile));
			t.is(steps, Math.ceil(depth / (32 / bytes)));
			t.true(parts * stepsOfPart >= steps, 'the parts cover the depth');
			t.true((parts - 1) * stepsOfPart < steps, 'no part is empty');
			t.true(groups * parts <= 65_535, 'groups and parts fit into grid.z');
			t.true(parts === 1 || parts * rows * columns * groups * 4 <= 2 ** 28, 'parts take 256 MiB at most');
			if (!vector) t.is(tile, 64, 'operands without 16-byte pieces have small tiles only');
		});
	}
}

test('a full GPU gets large tiles, and a depth is divided where tiles are few', (t) => {
	const [forward, single, weights] = products.slice(2, 5).map((product) => divide(product, 132));
	t.like(forward, {tile: 128, parts: 1});
	t.like(single, {tile: 64});
	t.true(single!.parts > 1);
	t.like(weights, {tile: 128});
	t.true(weights!.parts > 1);
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
