// What is told of kernels without a GPU: occupancy, instruction counts, tiles and the model, each against what is computed
// by hand.
import test from 'ava';
import {gpuNamed, gpuOfBoard, gpus, limits, type Gpu} from '../../benchmarks/gpus.ts';
import type {Facts, KernelFacts, OperationFacts} from '../../benchmarks/kernel-facts.ts';
import {loopOf, modelOf, slotsOverTensorTime} from '../../benchmarks/model.ts';
import {occupancyOf} from '../../benchmarks/occupancy.ts';
import {input, output, trial} from '../../benchmarks/operation.ts';
import {tileOf} from '../../benchmarks/tile.ts';
import {countInstructions} from '../../scripts/kernels/machine-code.ts';

/** With assumptions of its own: what is computed by hand stays, however the GPU is calibrated. */
const h100: Gpu = {
	...gpuNamed('H100')!,
	assumed: {megahertz: 1755, memoryShare: 0.9, cacheGigabytesPerSecond: 5500, mmaPerClock: 1300, source: 'this test'},
};

test('GPUs are found by the driver’s names of their boards, simulated ones never', (t) => {
	t.is(gpuOfBoard('NVIDIA H200')?.name, 'H200');
	t.is(gpuOfBoard('NVIDIA H100 80GB HBM3')?.name, 'H100');
	t.is(gpuOfBoard('NVIDIA GeForce RTX 4090')?.name, 'RTX 4090');
	for (const name of ['NVIDIA H100 (simulated)', 'NVIDIA GeForce RTX 4090 D', 'NVIDIA H200 NVL', '']) {
		t.is(gpuOfBoard(name), undefined, name);
	}
	for (const {name, computeCapability, dataSheet} of gpus) {
		t.true(computeCapability in limits, name);
		// FP32 units, boost clock and the promised rate must agree.
		const {multiprocessors, megahertz, teraflops} = dataSheet;
		const promised = (2 * multiprocessors * megahertz * limits[computeCapability]!.fp32PerClock) / 1e6;
		t.true(Math.abs(promised / teraflops.fp32 - 1) < 0.02, `${name}: ${promised} and ${teraflops.fp32}`);
	}
});

test('occupancy is limited by what runs out first', (t) => {
	const of = (registers: number, threads: number, sharedBytes: number, capability = '9.0') => {
		const {blocks, limit} = occupancyOf({registers, threads, sharedBytes}, limits[capability]!);
		return `${blocks} ${limit}`;
	};
	// 8 warps of 128 * 32 registers: 16 fit.
	t.is(of(128, 256, 16384), '2 registers');
	// 11 warps: with 104 registers 19 fit, of which each scheduler takes 4; two blocks need 22.
	t.is(of(99, 352, 41376), '1 registers');
	t.is(of(88, 352, 41376), '1 registers');
	t.is(of(80, 352, 41376), '2 registers');
	t.is(of(32, 256, 0), '8 threads');
	t.is(of(32, 32, 0), '32 blocks');
	t.is(of(32, 32, 0, '8.6'), '16 blocks');
	// 100 KB a multiprocessor, 1 KB of each block for the system.
	t.is(of(32, 128, 49 * 1024, '8.9'), '2 shared memory');
	t.is(of(32, 128, 50 * 1024, '8.9'), '1 shared memory');
	t.is(of(32, 1024, 64 * 1024, '7.5'), '1 threads');
});

const sass = `
	.section	.text._Zmultiply,"ax",@progbits
.text._Zmultiply:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
        /*0010*/              @!P0 BRA \`(.L_x_2) ;
.L_x_0:
        /*0020*/                   LDG.E.128.CONSTANT R4, desc[UR8][R2.64] ;
        /*0030*/                   STS.128 [R8], R4 ;
        /*0040*/                   LDGSTS.E.BYPASS.128 [R9], [R2.64] ;
.L_x_1:
        /*0050*/                   LDS.128 R4, [R8] ;
        /*0060*/                   LDS R12, [R8+0x10] ;
        /*0070*/                   FFMA R0, R4, R5, R0 ;
        /*0080*/               @P1 FFMA R0, R6, R7, R0 ;
        /*0090*/                   HFMA2.MMA R3, -RZ, RZ, 0, 0 ;
        /*00a0*/               @P2 BRA \`(.L_x_1) ;
        /*00b0*/                   BAR.SYNC.DEFER_BLOCKING 0x0 ;
        /*00c0*/               @P0 BRA \`(.L_x_0) ;
.L_x_2:
        /*00c4*/                   FFMA R0, R6, R7, R0 ;
        /*00c5*/                   FFMA R0, R6, R7, R0 ;
        /*00c6*/                   FFMA R0, R6, R7, R0 ;
        /*00c8*/               @P0 BRA \`(.L_x_2) ;
        /*00d0*/                   EXIT ;
.L_x_3:
        /*00e0*/                   BRA \`(.L_x_3) ;
        /*00f0*/                   NOP ;
	.section	.text._Zcopy,"ax",@progbits
.text._Zcopy:
        /*0000*/                   LDSM.16.M88.4 R4, [R8] ;
        /*0010*/                   HMMA.16816.F32.BF16 R4, R8, R12, R4 ;
        /*0020*/                   EXIT ;
`;

test('instructions are counted by kernel, loop and the loop around it', (t) => {
	const counts = countInstructions(sass);
	t.deepEqual([...counts.keys()], ['_Zmultiply', '_Zcopy']);
	t.deepEqual(counts.get('_Zmultiply'), {
		code: {all: 19, ffma: 5, hmma: 0, sharedBytes: 512 + 512 + 512 + 128},
		inner: {all: 6, ffma: 2, hmma: 0, sharedBytes: 512 + 128},
		outer: {all: 11, ffma: 2, hmma: 0, sharedBytes: 512 + 512 + 512 + 128},
	});
	t.deepEqual(counts.get('_Zcopy'), {code: {all: 3, ffma: 0, hmma: 1, sharedBytes: 512}});
	t.deepEqual(countInstructions(''), new Map());
});

const product = {rows: 4096, columns: 4096, depth: 1024, groups: 1, elementBytes: 4};
const counts = (all: number, ffma: number, hmma = 0, sharedBytes = 0) => ({all, ffma, hmma, sharedBytes});
const base = {file: 'kernels/x.cu', computeCapability: '9.0', registers: 128, spills: 0};
const large: KernelFacts = {
	...base,
	kernel: 'conv2dForwardKernel<Tile<float, 128, 128, 8, 2>, true, float>',
	inner: counts(160, 128),
	outer: counts(360, 128),
};
const launch = {kernel: large.kernel, grid: [32, 32, 1], threads: 256, sharedBytes: 16384} as const;

test('a step of the depth has the inner loop as often as its products demand', (t) => {
	t.deepEqual(tileOf(large.kernel), {rows: 128, columns: 128, stepDepth: 8});
	// 128 * 128 * 8 products by 8 warps of 32 lanes are 512 FFMA: four turns of 128.
	t.deepEqual(loopOf(large, launch), counts(360 + 3 * 160, 512));
	const {outer, ...flat} = large;
	t.truthy(outer);
	t.deepEqual(loopOf(flat, launch), large.inner);
	t.is(loopOf({...base, kernel: 'none'}, launch), undefined);
});

test('a tile is told by template arguments', (t) => {
	t.deepEqual(tileOf('conv2dForwardKernel<Tile<__nv_bfloat16, 64, 64, 4, 4>, true, float>'), {
		...{rows: 64, columns: 64, stepDepth: 16},
	});
	t.deepEqual(tileOf('mma::conv2dForwardMmaKernel<mma::Tile<k256x48, __nv_bfloat16>>'), {
		...{rows: 256, columns: 48, stepDepth: 32, hmmaProducts: 2048},
	});
	t.deepEqual(tileOf('mma::conv2dForwardMmaKernel<mma::Tile<k64x64, float>>'), {
		...{rows: 64, columns: 64, stepDepth: 16, hmmaProducts: 1024},
	});
	t.is(tileOf('linearVectorKernel<float, 4>'), undefined);
	// As designed: 193 instructions and 64 HMMA have .48 of the tensor cores' time on an H100.
	t.is(slotsOverTensorTime(counts(193, 0, 64), h100).toFixed(2), '0.48');
});

function modelled(kernel: KernelFacts, grid: readonly [number, number, number], multiprocessors = 132) {
	const operation: OperationFacts = {
		...{trial: 'x', precision: 'fp32', batchSize: 128, computeCapability: '9.0', multiprocessors},
		launches: [{...launch, kernel: kernel.kernel, grid}],
	};
	const facts: Facts = {compiler: 'nvcc', kernels: [kernel], operations: [operation]};
	const [rows, columns] = [grid[0] * 128, grid[1] * 128];
	const tensors = {input: input([rows], 'float32'), output: output([columns], 'float32')};
	const subject = trial({name: 'x', product: {...product, rows, columns}, tensors, run: () => undefined});
	return modelOf(operation, facts, subject, h100);
}

test('waves: the last one takes as long as its fullest multiprocessor', (t) => {
	const time = (x: number, y: number): number => modelled(large, [x, y, 1])!.microseconds;
	const prologue = 1400 / 1755;
	const gap = 1.5;
	// Two blocks a multiprocessor: 264 at a time.
	const wave = time(132, 2) - prologue - gap;
	t.true(Math.abs(time(132, 4) - (2 * wave + 2 * prologue + gap)) < 1e-9);
	// One block more begins a wave of its own with one block: half the work, by two warps a scheduler instead of four.
	const tail = time(53, 5) - (wave + 2 * prologue + gap);
	t.true(Math.abs(tail - (wave / 2) * (0.9 / 0.65)) < 1e-9, `${tail} ${wave}`);
	// By hand: 4 warps a scheduler, each 4 * 128 * 1024 / 8 FFMA of which a step of 512 takes 840 instructions.
	const slots = (4 * ((128 * 128 * 1024) / 32 / 8) * 840) / 512;
	t.true(Math.abs(wave - slots / 0.9 / 1755) < 1e-6, `${wave} ${slots / 0.9 / 1755}`);
	t.is(modelled(large, [132, 2, 1])?.by, 'issue');
});

test('without counts, or for other boards, nothing is modelled', (t) => {
	const {inner, ...uncounted} = large;
	t.truthy(inner);
	t.is(modelled(uncounted, [1, 1, 1]), undefined);
	t.is(modelled(large, [1, 1, 1], 108), undefined);
});
