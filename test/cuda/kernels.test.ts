// What nvcc makes of the kernels: no spills, no stack, no warnings on any GPU, and memory accessed as widely as the
// kernels' header comments claim.
import {readdirSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {root, runNvcc, scratchFolder, test} from './nvcc.ts';

const folder = scratchFolder();
const files = readdirSync(join(root, 'cuda')).filter((file) => file.endsWith('.cu'));
anyTest.after.always(() => rmSync(folder, {recursive: true}));

const flags = ['-std=c++17', '-O3', '--threads=0'];

for (const file of files) {
	test(`${file} compiles for compute capability 7.5 to 12.0 without spills, stack or warnings`, (t) => {
		t.timeout(180_000);
		const known = runNvcc('--list-gpu-code');
		const architectures = ['75', '80', '86', '89', '90', '100', '120'].filter((name) => known.includes(`sm_${name}`));
		const targets = architectures.map((name) => `-gencode=arch=compute_${name},code=sm_${name}`);
		const output = runNvcc(...flags, '-fatbin', '-Xptxas=-v', ...targets, `cuda/${file}`, '-o', join(folder, file));

		t.deepEqual(
			output.split('\n').filter((line) => /warning/i.test(line)),
			[],
		);
		const compiled = [...output.matchAll(/Compiling entry function '\w+' for '(\w+)'/g)].map((match) => match[1]);
		t.deepEqual([...new Set(compiled)].sort(), architectures.map((name) => `sm_${name}`).sort());
		const memory = [...output.matchAll(/\w+\s+\d+ bytes stack frame, \d+ bytes spill stores, \d+ bytes spill loads/g)];
		t.is(memory.length, compiled.length);
		t.deepEqual(
			memory.map(([text]) => text).filter((text) => / [1-9]\d* bytes/.test(text)),
			[],
		);
	});
}

interface Kernel {
	/** As the compiler mangles it: name and template arguments can be found in it. */
	name: string;
	/** Bytes of each global load and store, in the order of the code. */
	loads: number[];
	stores: number[];
}

function kernelsOf(file: string, architecture: string): Kernel[] {
	const output = join(folder, `${file}.ptx`);
	runNvcc(...flags, '-ptx', `-arch=${architecture}`, `cuda/${file}`, '-o', output);
	const text = readFileSync(output, 'utf8');
	return [...text.matchAll(/^(?:\.visible )?\.entry (\w+)\([^{]*\{(.*?)^\}/gms)].map(([, name = '', body = '']) => {
		const bytes = (verb: 'ld' | 'st') =>
			[...body.matchAll(new RegExp(`\\b${verb}\\.global\\S*`, 'g'))].map(([instruction]) => {
				const [, elements = '1', bits] = /(?:\.v(\d))?\.[a-z]+(\d+)$/.exec(instruction) ?? [];
				return (Number(elements) * Number(bits)) / 8;
			});
		return {name, loads: bytes('ld'), stores: bytes('st')};
	});
}

for (const architecture of ['compute_75', 'compute_80']) {
	test(`lrn moves its channels in pieces of 16 bytes on ${architecture}`, (t) => {
		const kernels = kernelsOf('lrn.cu', architecture).filter(({name}) => !name.includes('Any'));
		t.is(kernels.length, 8); // two directions, two types, two kinds of power
		for (const {name, loads, stores} of kernels) {
			const chunk = name.includes('KernelIf') ? [16, 16] : [16]; // 8 channels
			t.deepEqual(loads, name.includes('Backward') ? [...chunk, ...chunk] : chunk, name);
			t.deepEqual(stores, chunk, name);
		}
	});
}

for (const direction of ['forward', 'backward_input', 'backward_weights']) {
	test(`conv2d_${direction}.cu loads its operands in pieces of 16 bytes, but where they are not aligned`, (t) => {
		const kernels = kernelsOf(`conv2d_${direction}.cu`, 'compute_75');
		t.is(kernels.length, 6); // two types: large tiles, small tiles, small tiles of single values
		const wide = kernels.filter(({loads}) => loads.includes(16)).map(({name}) => name);
		t.deepEqual(
			wide,
			kernels.map(({name}) => name).filter((name) => name.includes('Lb1E')),
		);
		t.is(wide.length, 4);
		// Narrower loads are bias and addend, of the 4 columns of a run, twice in the large tiles.
		for (const {name, loads} of kernels.filter((kernel) => wide.includes(kernel.name))) {
			t.true(loads.filter((bytes) => bytes === 16).length >= 2, name);
			t.true(
				loads.every((bytes) => bytes === 16 || bytes === 4),
				name,
			);
		}
	});
}
