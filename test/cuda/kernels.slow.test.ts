// What nvcc makes of the kernels: no spills, no stack, no warnings on any GPU, and memory accessed as widely as the
// kernels' header comments claim. PTX is made for the two architectures that a kernel's source can tell apart, and
// machine code from it for all: what a release compiles itself is in test/full/kernels.test.ts.
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import anyTest from 'ava';
import {nvccOutput, scratchFolder, test} from './nvcc.ts';
import {architectures, assertResources, files, usagesOf} from './resources.ts';

const folder = scratchFolder();
anyTest.after.always(() => rmSync(folder, {recursive: true}));

const virtual = ['75', '80'] as const;
type Virtual = (typeof virtual)[number];
const ptxOf = (file: string, capability: Virtual): string => join(folder, `${basename(file)}.${capability}.ptx`);

/** Makes PTX of a file for one architecture and machine code for those that run it; returns what the compilers said. */
async function compileFor(file: string, capability: Virtual): Promise<string> {
	const ptx = ptxOf(file, capability);
	const flags = ['-std=c++17', '-O3', '-ptx', `-arch=compute_${capability}`];
	const said = await nvccOutput(...flags, `cuda/${file}`, '-o', ptx);
	const targets = architectures.filter((name) => (name === '75') === (capability === '75')).map((name) => `sm_${name}`);
	const code = `-gencode=arch=compute_${capability},code=[${targets.join(',')}]`;
	return said + (await nvccOutput('-fatbin', '-Xptxas=-v', '--threads=0', code, ptx, '-o', `${ptx}.fatbin`));
}

const compiled = new Map<string, Promise<string[]>>();
/** Compiles a file once for all tests, on two cores. */
function compile(file: string): Promise<string[]> {
	const outputs = compiled.get(file) ?? Promise.all(virtual.map((capability) => compileFor(file, capability)));
	compiled.set(file, outputs);
	return outputs;
}

for (const file of files) {
	test(`${file} compiles for compute capability 7.5 to 12.0 without spills, stack or warnings`, async (t) => {
		t.timeout(180_000);
		assertResources(t, (await compile(file)).join(''));
	});
}

test('a stack frame and spills would be found', async (t) => {
	const source = join(folder, 'spills.cu');
	const sums = Array.from({length: 48}, (_, i) => `s[${i}] = s[${i}] * input[${i}] + input[threadIdx.x + ${i}];`).join(
		' ',
	);
	writeFileSync(
		source,
		`__global__ void spill(const float* input, float* output, int n) {
	float s[48] = {};
	for (int i = 0; i < n; ++i, input += 48) { ${sums} }
	for (int i = 0; i < 48; ++i) output[i * n + threadIdx.x] = s[i];
}
__global__ void index(const int* input, int* output) {
	int values[32];
	for (int i = 0; i < 32; ++i) values[i] = input[i];
	for (int i = 0; i < 32; ++i) values[input[i]] = i;
	for (int i = 0; i < 32; ++i) output[i] = values[i];
}
`,
	);
	const output = await nvccOutput(
		'-cubin',
		'-arch=sm_80',
		'-maxrregcount=32',
		'-Xptxas=-v',
		source,
		'-o',
		`${source}bin`,
	);
	const [spilling, indexing] = ['spill', 'index'].map((name) =>
		usagesOf(output).find(({kernel}) => kernel.includes(name)),
	);
	t.true(spilling && spilling.spillStores > 0 && spilling.spillLoads > 0);
	t.true(indexing && indexing.stack >= 32 * 4);
});

interface Kernel {
	/** As the compiler mangles it: name and template arguments can be found in it. */
	name: string;
	/** Bytes of each global load and store, in the order of the code. */
	loads: number[];
	stores: number[];
}

async function kernelsOf(file: string, capability: Virtual): Promise<Kernel[]> {
	await compile(file);
	const text = readFileSync(ptxOf(file, capability), 'utf8');
	return [...text.matchAll(/^(?:\.visible )?\.entry (\w+)\([^{]*\{(.*?)^\}/gms)].map(([, name = '', body = '']) => {
		const bytes = (verb: 'ld' | 'st') =>
			[...body.matchAll(new RegExp(`\\b${verb}\\.global\\S*`, 'g'))].map(([instruction]) => {
				const [, elements = '1', bits] = /(?:\.v(\d))?\.[a-z]+(\d+)$/.exec(instruction) ?? [];
				return (Number(elements) * Number(bits)) / 8;
			});
		return {name, loads: bytes('ld'), stores: bytes('st')};
	});
}

for (const capability of virtual) {
	test(`lrn moves its channels in pieces of 16 bytes on compute_${capability}`, async (t) => {
		const kernels = (await kernelsOf('kernels/lrn.cu', capability)).filter(({name}) => !name.includes('Any'));
		t.is(kernels.length, 8); // two directions, two types, two kinds of power
		for (const {name, loads, stores} of kernels) {
			const chunk = name.includes('KernelIf') ? [16, 16] : [16]; // 8 channels
			t.deepEqual(loads, name.includes('Backward') ? [...chunk, ...chunk] : chunk, name);
			t.deepEqual(stores, chunk, name);
		}
	});
}

for (const capability of virtual) {
	test(`lrn_max_pool moves its channels in pieces of 16 bytes on compute_${capability}`, async (t) => {
		const kernels = (await kernelsOf('kernels/lrn_max_pool.cu', capability)).filter(({name}) => !name.includes('Any'));
		t.is(kernels.length, 8); // two directions, two types, two kinds of power
		for (const {name, loads, stores} of kernels) {
			const isWide = name.includes('KernelIf');
			const chunk = isWide ? [16, 16] : [16]; // 8 channels
			const ends = isWide ? [8, 8] : [4, 4]; // two channels of each neighbour
			const winners = [8];
			const isBackward = name.includes('Backward');
			t.deepEqual(loads, isBackward ? [...chunk, ...winners, ...chunk] : [...chunk, ...ends], name);
			t.deepEqual(stores, isBackward ? chunk : [...chunk, ...winners], name);
		}
	});
}

for (const direction of ['forward', 'backward_input', 'backward_weights']) {
	test(`conv2d_${direction}_mma.cu copies operands by cp.async and multiplies by mma, from 8.0 on`, async (t) => {
		const file = `kernels/conv2d_${direction}_mma.cu`;
		await compile(file);
		const [old, text] = virtual.map((capability) => readFileSync(ptxOf(file, capability), 'utf8'));
		t.notRegex(old!, /\b(mma|ldmatrix|cp\.async)\b/);
		const bodies = text!.split('.entry').slice(1);
		const [bf16, tf32] = ['k16', 'k8'].map((depth) => bodies.filter((body) => body.includes(`.m16n8${depth}.`)));
		t.deepEqual([bf16!.length, tf32!.length, bodies.length], [7, 7, 14]); // cuda/gemm/mma/tiling.h
		// fp32 that lies the other way round is not for ldmatrix, which transposes 16-bit values.
		const operands = {forward: 2, backward_input: 1, backward_weights: 0}[direction]!;
		for (const body of tf32!) {
			const rounded = body.match(/cvt\.rna\.tf32/g)?.length ?? 0;
			t.true(rounded >= 16);
			const loaded = 4 * (body.match(/ldmatrix/g)?.length ?? 0) + (body.match(/ld\.shared\.b32/g)?.length ?? 0);
			t.is(2 * loaded, 3 * rounded); // fragments are loaded before the loop and twice in it, rounded twice in it
			t.is((body.match(/ldmatrix/g)?.length ?? 0) > 0, operands > 0);
			t.is((body.match(/ld\.shared\.b32/g)?.length ?? 0) > 0, operands < 2);
			t.notRegex(body, /ldmatrix\S*\.trans/);
		}
		for (const body of bodies) {
			const copies = body.match(/cp\.async\.cg\.shared\.global \[%r\d+\], \[%rd\d+\], 16, %r\d+;/g) ?? [];
			t.is(copies.length, body.match(/cp\.async\.c[ag]/g)?.length ?? 0);
			t.true(copies.length > 0);
			t.true((body.match(/mma\.sync\.aligned\.m16n8k/g)?.length ?? 0) >= 16);
			t.notRegex(body, /ld\.global\S*\.[bu]16/);
		}
		for (const body of bf16!) t.true((body.match(/ldmatrix/g)?.length ?? 0) >= 8);
	});
}

for (const direction of ['forward', 'backward_input', 'backward_weights']) {
	test(`conv2d_${direction}.cu loads its operands in pieces of 16 bytes, but where they are not aligned`, async (t) => {
		const kernels = await kernelsOf(`kernels/conv2d_${direction}.cu`, '75');
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
