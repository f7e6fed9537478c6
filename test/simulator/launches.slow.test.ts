// Launches beyond the limits of a GPU. cuda/runtime/launch.cuh refuses most of them itself, so its checks are taken away first.
import {mutantTests, type Mutant} from './mutant.ts';

const launch = 'cuda/runtime/launch.cuh';
const unchecked = {
	file: launch,
	from: '  checkLimits(name, grid, threads);\n  if (sharedBytes >',
	to: '  if (sharedBytes >',
};

const mutants: readonly Mutant[] = [
	{
		what: 'a block of 2048 threads',
		edits: [unchecked, {file: 'cuda/kernels/chunks.cuh', from: 'kChunkThreads = 256', to: 'kChunkThreads = 2048'}],
		compile: ['cuda/kernels/activate.cu'],
		scenario: 'relu',
		report: /^activateForwardKernel<.*> cannot be launched with 2048 threads in a block; the limit is 1024$/,
	},
	{
		what: 'more threads than the launch bounds allow',
		edits: [
			{file: 'cuda/kernels/lrn.cu', from: '/ kChunksPerBlock}, kThreads,', to: '/ kChunksPerBlock}, 2 * kThreads,'},
		],
		scenario: 'lrn',
		report: /^lrnForwardKernel<float, true> cannot be launched with 512 threads in a block; its launch bounds say 256$/,
	},
	{
		what: 'more threads than all registers that the compiler may give them suffice for',
		edits: [
			{
				file: 'cuda/kernels/activate.cu',
				from: '__launch_bounds__(kChunkThreads)\n    activateForwardKernel',
				to: '\n    activateForwardKernel',
			},
			{file: 'cuda/kernels/chunks.cuh', from: 'kChunkThreads = 256', to: 'kChunkThreads = 512'},
		],
		scenario: 'relu',
		report:
			/^activateForwardKernel<.*> cannot be launched with 512 threads in a block; without launch bounds .* of 256$/,
	},
	{
		what: 'more blocks in y than 65,535',
		edits: [
			unchecked,
			{
				file: 'cuda/kernels/softmax.cu',
				from: 'launch("softmaxKernel", softmaxKernel, Grid{operation',
				to: 'launch("softmaxKernel", softmaxKernel, Grid{1, operation',
			},
		],
		scenario: 'softmax of 65,536 rows',
		report:
			/^softmaxKernel cannot be launched with a grid of \(1, 65536, 1\) blocks; the limits are \(2147483647, 65535, 65535\)$/,
	},
	{
		what: 'more blocks in z than 65,535',
		edits: [
			unchecked,
			{
				file: 'cuda/kernels/softmax.cu',
				from: 'launch("softmaxKernel", softmaxKernel, Grid{operation',
				to: 'launch("softmaxKernel", softmaxKernel, Grid{1, 1, operation',
			},
		],
		scenario: 'softmax of 65,536 rows',
		report: /^softmaxKernel cannot be launched with a grid of \(1, 1, 65536\) blocks/,
	},
	{
		what: 'more static shared memory than 48 KB',
		edits: [{file: 'cuda/gemm/reduce.cu', from: 'shares[kWarps][32]', to: 'shares[49 * kWarps][32]'}],
		scenario: 'bias gradient',
		report: /^sumRowsKernel<float> cannot be launched with 50176 bytes of static shared memory; the limit is 49152$/,
	},
	{
		what: 'more dynamic shared memory than was opted in to',
		edits: [{file: launch, from: 'sharedBytes, stream>>>', to: 'sharedBytes + 49152, stream>>>'}],
		compile: ['cuda/kernels/conv2d_forward.cu'],
		scenario: 'conv2d',
		report:
			/^conv2dForwardKernel<.*> cannot be launched with \d+ bytes of shared memory; it may use 49152 as its attributes stand$/,
	},
];

mutantTests(mutants, ['forward', 'random:1']);
