// Kernels of cuda/ with a mistake: the simulator must say what is wrong, in which kernel, and where.
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from '../cuda/nvcc.ts';
import {root} from '../helpers/sources.ts';
import {mutantTests, type Mutant} from './mutant.ts';

const tile = 'cuda/gemm/tile.cuh';
const mmaTile = 'cuda/gemm/mma/tile.cuh';
const tiled = {compile: ['cuda/kernels/conv2d_forward.cu'], scenario: 'conv2d'};
const tileKernel = 'conv2dForwardKernel<';
const unordered =
	/: (reads shared memory at 0x[0-9a-f]+ that nobody wrote|(reads|writes) shared memory at 0x[0-9a-f]+ that a copy of thread \d+ is in flight to|race: (reads|writes) shared memory at)/;

/** The kernels that have barriers: what runs them, and where a missing one shows, if that is one place. */
const users: readonly {file: string; run: Pick<Mutant, 'compile' | 'scenario'>; at: NonNullable<Mutant['at']>}[] = [
	{file: tile, run: tiled, at: {kernel: tileKernel, file: tile, lines: ['load4(start[run] + depth * kWidth, four);']}},
	{
		file: mmaTile,
		run: {compile: ['cuda/kernels/conv2d_backward_weights_mma.cu'], scenario: 'weight gradient in bf16'},
		at: {kernel: 'conv2dBackwardWeightsMmaKernel<'},
	},
	{file: 'cuda/kernels/conv1_forward.cu', run: {scenario: 'conv1'}, at: {kernel: 'conv1ForwardKernel<float>'}},
	{
		file: 'cuda/kernels/conv1_backward_weights.cu',
		run: {scenario: 'conv1 backward'},
		at: {kernel: 'conv1BackwardWeightsKernel<float>'},
	},
	{
		file: 'cuda/kernels/lrn_max_pool.cu',
		run: {scenario: 'lrn and max pool'},
		at: {kernel: 'lrnMaxPoolForwardKernel<float, true>'},
	},
	{
		file: 'cuda/kernels/softmax.cu',
		run: {scenario: 'softmax'},
		at: {
			kernel: 'softmaxKernel',
			file: 'cuda/kernels/softmax.cu',
			lines: ['partial[threadIdx.x / 32] = value;', 'value = partial[0];', 'value = combine(value, partial[warp]);'],
		},
	},
	{
		file: 'cuda/gemm/reduce.cu',
		run: {scenario: 'bias gradient'},
		at: {kernel: 'sumRowsKernel<float>', file: 'cuda/gemm/reduce.cu', lines: ['sum += shares[i][lane];']},
	},
];

/** A mutant for every barrier of a file, each without that one. */
function withoutBarriers({file, run, at}: (typeof users)[number]): Mutant[] {
	const text = readFileSync(join(root, file), 'utf8');
	const lines = text.split('\n');
	const barriers = lines.flatMap((line, index) => (line.includes('__syncthreads();') ? [index] : []));
	return barriers.map((index) => ({
		what: `${file} without the barrier of line ${index + 1}`,
		edits: [{file, from: text, to: lines.with(index, '').join('\n')}],
		...run,
		report: unordered,
		at,
	}));
}

test('every barrier of cuda/ is among the mutants', (t) => {
	const folder = join(root, 'cuda');
	const withBarriers = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter(
		(name) => /\.cuh?$/.test(name) && readFileSync(join(folder, name), 'utf8').includes('__syncthreads();'),
	);
	t.deepEqual(withBarriers.map((name) => `cuda/${name}`).sort(), users.map(({file}) => file).sort());
});

const sharedBuffer: Mutant = {
	what: 'a tile that stores into the buffer that is read',
	edits: [{file: tile, from: 'buffers + (step + 1) % 2', to: 'buffers + step % 2'}],
	...tiled,
	report: unordered,
	at: {kernel: tileKernel},
};

const onTensorCores: readonly Mutant[] = (
	[
		{
			what: 'a wait for copies that leaves those of the stage under way',
			edits: [
				{file: mmaTile, from: 'waitForCopies<1>', to: 'waitForCopies<2>'},
				{
					file: mmaTile,
					from: 'if (stages == 4) {\n      waitForCopies<2>',
					to: 'if (stages == 4) {\n      waitForCopies<3>',
				},
			],
			report: /in flight/,
		},
		{
			what: 'copies into the stage that is multiplied',
			edits: [{file: mmaTile, from: 'step + stages - 1, last, part', to: 'step + stages - 1, full, part'}],
			report: /in flight|race/,
		},
		{
			what: 'a ring that does not wrap around',
			edits: [{file: mmaTile, from: 'full + kBytes == ringEnd ? ring : full + kBytes', to: 'full + kBytes'}],
			report: /shared memory/,
		},
		{
			what: 'lines of an operand that are 8 bytes off',
			edits: [{file: mmaTile, from: 'kPitch = kWidth * 2 + 16', to: 'kPitch = kWidth * 2 + 8'}],
			report: /misaligned|aligned/,
		},
		{
			what: 'a table of lines that is written while it is read',
			edits: [
				{file: 'cuda/gemm/mma/loaders.cuh', from: 'entries()[slot][threadIdx.x]', to: 'entries()[0][threadIdx.x]'},
			],
			report: unordered,
		},
	] as const
).map((mutant) => ({
	...mutant,
	compile: ['cuda/kernels/conv2d_backward_weights_mma.cu'],
	scenario: 'weight gradient in bf16',
	at: {kernel: 'conv2dBackwardWeightsMmaKernel<'},
}));

const strayBarriers: readonly Mutant[] = [
	{
		what: 'a barrier for every second lane',
		edits: [
			{
				file: tile,
				from: 'T::kRows);\n  __syncthreads();\n',
				to: 'T::kRows);\n  if (threadIdx.x % 2) __syncthreads();\n',
			},
		],
		...tiled,
		report: /a barrier in divergent code: only some lanes of the warp reach it; lane \d+ goes on to .*tile\.cuh:\d+/,
		at: {kernel: tileKernel, file: tile, lines: ['if (threadIdx.x % 2) __syncthreads();']},
	},
	{
		what: 'a barrier for the lanes that have a column',
		edits: [
			{
				file: 'cuda/gemm/reduce.cu',
				from: '  __syncthreads();\n',
				to: '  if (column >= columns) return;\n  __syncthreads();\n',
			},
		],
		scenario: 'bias gradient',
		report: /a barrier (in divergent code|that only a part of the block reaches)/,
		at: {kernel: 'sumRowsKernel<', file: 'cuda/gemm/reduce.cu', lines: ['  __syncthreads();']},
	},
	{
		what: 'a barrier that warps without rows do not reach',
		edits: [
			{
				file: 'cuda/kernels/conv1_forward.cu',
				from: '  LaneSums sums = {};\n  for',
				to: '  if (p >= geometry.outputHeight) return;\n  LaneSums sums = {};\n  for',
			},
		],
		scenario: 'conv1',
		report: /a barrier that only a part of the block reaches: 1 of 4 warps wait for the others, which have exited/,
		at: {
			kernel: 'conv1ForwardKernel<',
			file: 'cuda/kernels/conv1_forward.cu',
			lines: ['everyone has read the last row'],
		},
	},
];

const shuffles: readonly Mutant[] = [
	{
		what: 'a shuffle mask that leaves out a live lane',
		edits: [{file: 'cuda/kernels/lrn.cuh', from: 'kWarp = 0xffffffffU', to: 'kWarp = 0x7fffffffU'}],
		compile: ['cuda/kernels/lrn.cu'],
		scenario: 'lrn',
		report: /the mask 0x7fffffff leaves out lane 31, which takes part/,
		at: {kernel: 'lrnForwardKernel<float, true>', file: 'cuda/kernels/lrn.cuh', lines: ['__shfl_up_sync']},
	},
	{
		what: 'lanes that exit before a shuffle',
		edits: [
			{
				file: 'cuda/kernels/lrn.cu',
				from: '  float a[kChunk] = {};\n  if (at.exists) load8(input + at.chunk * kChunk, a);\n  float squares',
				to: '  float a[kChunk] = {};\n  if (!at.exists) return;\n  load8(input + at.chunk * kChunk, a);\n  float squares',
			},
		],
		scenario: 'lrn',
		report: /the mask 0xffffffff names lane \d+, which has exited/,
		at: {kernel: 'lrnForwardKernel<float, true>', file: 'cuda/kernels/lrn.cuh', lines: ['__shfl_up_sync']},
	},
	{
		what: 'a shuffle in divergent code',
		edits: [
			{
				file: 'cuda/kernels/linear.cu',
				from: 'distance /= 2) sum +=',
				to: 'distance /= 2)\n    if (threadIdx.x % 32 < 16) sum +=',
			},
		],
		scenario: 'linear',
		report: /the mask 0xffffffff names lane 16, which does not take part|names lane 16, which has exited/,
		at: {kernel: 'linearVectorKernel<float, 4>', file: 'cuda/kernels/linear.cu', lines: ['__shfl_xor_sync']},
	},
];

const accesses: readonly Mutant[] = [
	{
		what: 'an index off by one in shared memory',
		edits: [{file: 'cuda/gemm/reduce.cu', from: 'for (int i = 1; i < kWarps', to: 'for (int i = 1; i <= kWarps'}],
		scenario: 'bias gradient',
		report: /4 bytes at 0x[0-9a-f]+ of shared memory are outside its variables/,
		at: {kernel: 'sumRowsKernel<', file: 'cuda/gemm/reduce.cu', lines: ['sum += shares[i][lane];']},
	},
	{
		what: "a row of shared memory that reaches into the next warp's",
		edits: [
			{
				file: 'cuda/kernels/conv1.cuh',
				from: 'for (int i = lane; i < kSegment; i += 32) {',
				to: 'for (int i = lane; i <= kSegment; i += 32) {',
			},
		],
		compile: ['cuda/kernels/conv1_forward.cu'],
		scenario: 'conv1',
		report: /race: writes shared memory at 0x[0-9a-f]+ that thread \d+ wrote|are outside its variables/,
		at: {kernel: 'conv1ForwardKernel<', file: 'cuda/kernels/conv1.cuh', lines: ['segment[i] = first + i']},
	},
	{
		what: 'an index off by one in global memory, read',
		edits: [{file: 'cuda/kernels/lrn.cuh', from: 'place.chunk < chunks', to: 'place.chunk <= chunks'}],
		compile: ['cuda/kernels/lrn.cu'],
		scenario: 'lrn',
		report: /out of bounds: reads 16 bytes of global memory .* 0 bytes after the end of 10656 bytes of cuda:0/,
		at: {
			kernel: 'lrnForwardKernel<float, true>',
			file: 'cuda/runtime/vector.cuh',
			lines: ['const float4 low = reinterpret_cast<const float4*>(source)[0];'],
		},
	},
	{
		what: 'an index off by one in global memory, written',
		edits: [{file: 'cuda/runtime/vector.cuh', from: 'if (i < count) narrow', to: 'if (i <= count) narrow'}],
		compile: ['cuda/kernels/activate.cu'],
		scenario: 'relu',
		report: /out of bounds: writes 4 bytes of global memory .* \d+ bytes after the end of 4012 bytes of cuda:0/,
		at: {
			kernel: 'activateForwardKernel<',
			file: 'cuda/runtime/vector.cuh',
			lines: ['narrow(values[i], destination[i]);'],
		},
	},
	{
		what: 'a misaligned load of 16 bytes, of a matrix',
		edits: [{file: 'cuda/gemm/gemm.cuh', from: '% 16 == 0 && run * sizeOf', to: '% 8 == 0 && run * sizeOf'}],
		compile: ['cuda/kernels/conv2d_forward.cu'],
		scenario: 'conv2d, misaligned',
		report: /misaligned: an access of 16 bytes/,
		at: {kernel: tileKernel, file: 'cuda/gemm/operands.cuh', lines: ['__ldg(reinterpret_cast<const uint4*>(address))']},
	},
	{
		what: 'a misaligned load of 16 bytes, of single elements',
		edits: [{file: 'cuda/runtime/vector.cuh', from: '(address) % 16 != 0', to: '(address) % 4 != 0'}],
		compile: ['cuda/kernels/activate.cu'],
		scenario: 'relu, misaligned',
		report: /misaligned: an access of 16 bytes/,
		at: {
			kernel: 'activateForwardKernel<',
			file: 'cuda/runtime/vector.cuh',
			lines: ['const float4 low = reinterpret_cast<const float4*>(source)[0];'],
		},
	},
	{
		what: 'a read of memory that nobody wrote',
		edits: [
			{file: 'cuda/kernels/softmax.cu', from: 'expf(logits[row + k] - of', to: 'expf(probabilities[row + k] - of'},
		],
		scenario: 'softmax',
		report: /reads 4 bytes of global memory at \d+ of 2400 that nobody wrote/,
		at: {kernel: 'softmaxKernel', file: 'cuda/kernels/softmax.cu', lines: ['probabilities[row + k] = expf(']},
	},
];

mutantTests(
	[...users.flatMap(withoutBarriers), sharedBuffer, ...onTensorCores, ...strayBarriers, ...shuffles, ...accesses],
	['forward', 'reverse', 'random:1'],
);
