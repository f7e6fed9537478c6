// The one direction in which things depend, as ARCHITECTURE.md draws it.
import {readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';
import test from 'ava';
import {filesBelow} from './helpers/sources.ts';

/** From the top to the bottom: a file imports from its own row and from rows below it. */
const rows: readonly (readonly string[])[] = [
	['demo/'],
	['cli/'],
	['benchmarks/'],
	['lib/index.ts'],
	['lib/experiments/'],
	['lib/report/'],
	['lib/run/', 'lib/figures/'],
	['lib/classifier.ts'],
	['lib/training/', 'lib/features/'],
	['lib/interchange/'],
	['lib/checkpoint/', 'lib/selftest/', 'lib/scaling/'],
	['lib/mpi.ts'],
	['lib/mpi/'],
	['lib/net/'],
	['lib/ops.ts'],
	['lib/device/', 'lib/data/'],
	['lib/base/'],
];

/** What the C++ folders may include besides themselves; cuda/ itself holds the device. */
const folders: Readonly<Record<string, readonly string[]>> = {
	core: [],
	cpu: ['core'],
	'cuda/runtime': ['core'],
	'cuda/gemm': ['cuda/runtime', 'core'],
	'cuda/kernels': ['cuda/gemm', 'cuda/runtime', 'core'],
	cuda: ['cuda/kernels', 'cuda/runtime', 'core'],
	binding: ['core'],
	mpi: [],
	simulator: [],
};
const folderOf = (file: string): string => {
	const parts = dirname(file).split('/');
	return [parts.slice(0, 2).join('/'), parts[0] ?? ''].find((folder) => folder in folders) ?? dirname(file);
};

const sources = /\.(cu|cuh|cc|h)$/;

function rowOf(file: string): number {
	return rows.findIndex((row) => row.some((entry) => (entry.endsWith('/') ? file.startsWith(entry) : file === entry)));
}

function targets(file: string, pattern: RegExp): string[] {
	const found = [...readFileSync(file, 'utf8').matchAll(pattern)].map((match) => match[1] ?? '');
	return found.map((target) => normalize(join(dirname(file), target)));
}

const typescript = ['lib', 'benchmarks', 'cli', 'demo'].flatMap((folder) => filesBelow(folder, /\.ts$/));
const imports = new Map(typescript.map((file) => [file, targets(file, /\bfrom '(\.[^']+)'/g)]));

test('every TypeScript file has its place', (t) => {
	t.deepEqual(
		typescript.filter((file) => rowOf(file) < 0),
		[],
	);
});

test('imports go down, never up', (t) => {
	const upward = [...imports].flatMap(([file, found]) =>
		found.filter((target) => rowOf(target) < rowOf(file)).map((target) => `${file} imports ${target}`),
	);
	t.deepEqual(upward, []);
});

test('the demo is written against what users can import', (t) => {
	const inside = [...imports].flatMap(([file, found]) =>
		file.startsWith('demo/') ? found.filter((target) => target !== 'lib/index.ts' && !target.startsWith('demo/')) : [],
	);
	t.deepEqual(inside, []);
	t.true(imports.get('demo/demo.ts')?.includes('lib/index.ts'));
});

test('no file imports itself by a detour', (t) => {
	const done = new Set<string>();
	const visit = (file: string, path: readonly string[]): void => {
		if (path.includes(file)) t.fail([...path, file].join(' → '));
		if (done.has(file) || path.includes(file)) return;
		for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
		done.add(file);
	};
	for (const file of typescript) visit(file, []);
	t.is(done.size, typescript.length);
});

test('only native.ts loads the addon', (t) => {
	const loaders = typescript.filter((file) => readFileSync(file, 'utf8').includes("'node-gyp-build'"));
	t.deepEqual(loaders, ['lib/device/native.ts']);
});

test('only lib/mpi/ loads the module for MPI, and only the command line asks for it', (t) => {
	const loaders = typescript.filter((file) => readFileSync(file, 'utf8').includes('alexnet_mpi.node'));
	t.deepEqual(loaders, ['lib/mpi/builds.ts']);
	const askers = [...imports].flatMap(([file, found]) =>
		found.some((each) => each.startsWith('lib/mpi')) ? [file] : [],
	);
	t.deepEqual(
		askers.filter((file) => !file.startsWith('cli/') && !file.startsWith('lib/mpi')),
		[],
	);
});

test('core/ knows no device, devices know core/ alone, and addon.cc alone knows which devices there are', (t) => {
	const wrong: string[] = [];
	let seen = 0;
	for (const file of ['core', 'cpu', 'cuda', 'binding', 'mpi', 'simulator'].flatMap((name) =>
		filesBelow(name, sources),
	)) {
		for (const target of targets(file, /^#include "([^"]+)"/gm)) {
			const [folder, other] = [folderOf(file), folderOf(target)];
			++seen;
			const fine = other === folder || (folders[folder]?.includes(other) ?? false) || file === 'binding/addon.cc';
			if (!fine) wrong.push(`${file} includes ${target}`);
		}
	}
	t.deepEqual(wrong, []);
	t.true(seen > 20);
});

test('kernels are launched in one place', (t) => {
	const launchers = filesBelow('cuda', sources).filter((file) => readFileSync(file, 'utf8').includes('<<<'));
	t.deepEqual(launchers, ['cuda/runtime/launch.cuh']);
});
