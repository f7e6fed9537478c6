// Parts of the benchmarks that need no GPU: clocks from a stand-in for nvidia-smi, exchanges between CPU devices, rows,
// gates.
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import test from 'ava';
import {clocksDuring} from '../../benchmarks/clocks.ts';
import {runExchange} from '../../benchmarks/exchanges.ts';
import type {Facts, KernelFacts, LaunchFacts} from '../../benchmarks/kernel-facts.ts';
import {gpus} from '../../benchmarks/gpus.ts';
import {worksOf} from '../../benchmarks/launch-work.ts';
import {modelledRows} from '../../benchmarks/modelled.ts';
import {rowOf} from '../../benchmarks/rows.ts';
import {runOperation} from '../../benchmarks/run-operation.ts';
import {describeMachine} from '../../benchmarks/table.ts';
import {exchangeTrial, isExchange, isModelTrial, operationTrial, trialsOn} from '../../benchmarks/trials.ts';
import {isSimulated} from '../../lib/selftest/facts.ts';
import {missedGates} from '../../scripts/kernels/gates.ts';
import {forEachDevice, forEachPair} from '../helpers/devices.ts';

test.serial('clocks are read while the work goes on, of the board asked for', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'alexnet-smi-'));
	const path = process.env.PATH ?? '';
	let calls = 0;
	const work = async (): Promise<void> => {
		++calls;
		await new Promise((resolve) => setTimeout(resolve, 1));
	};
	try {
		process.env.PATH = `${folder}${delimiter}${path}`;
		const program = join(folder, 'nvidia-smi');
		const say = (text: string): void => {
			writeFileSync(program, `#!/bin/sh\ntest "$1" = --id=00000000:41:00.0 || exit 9\n${text}\n`);
			chmodSync(program, 0o755);
		};
		say('sleep 0.05; echo "1755, 1980, 2619, 2619, 61, 512.33, [N/A]"');
		const expected = {processor: 1755, processorAtMost: 1980, memory: 2619, memoryAtMost: 2619};
		t.deepEqual(await clocksDuring('00000000:41:00.0', work), {...expected, temperature: 61, power: 512.33});
		t.true(calls > 1);
		say('echo No devices were found; exit 6');
		t.regex((await clocksDuring('00000000:41:00.0', work)).unknown ?? '', /^nvidia-smi does not tell: /);
		process.env.PATH = folder;
		rmSync(program);
		t.regex((await clocksDuring('00000000:41:00.0', work)).unknown ?? '', /ENOENT/);
	} finally {
		process.env.PATH = path;
		rmSync(folder, {recursive: true});
	}
});

forEachPair('an exchange is checked, and timed where the devices have a clock', async (t, pair) => {
	const trial = exchangeTrial('conv3-exchange', 2, 'bf16');
	// By hand: the half of 13 x 13 x 256 of two pictures, in two bytes.
	t.is(trial.bytes, 2 * 13 * 13 * 128 * 2);
	t.true(trial.isMutual);
	t.false(exchangeTrial('fc8-exchange', 2, 'bf16').isMutual);
	const run = runExchange(pair, trial, {repetitions: 2, flush: 2 ** 16});
	if (isSimulated(pair[0].id)) await t.throwsAsync(run, {code: 'ALEXNET_OPERATION', message: /has no clock/});
	else t.true((await run).every((milliseconds) => milliseconds > 0));
	for (const device of pair) t.is(device.memory().bytes, 0);
});

test('several devices have the net and exchanges, one has the net and operations', (t) => {
	const [one, two] = [trialsOn(1), trialsOn(2)];
	t.false(one.some(isExchange));
	t.true(two.every((name) => isExchange(name) || isModelTrial(name)));
	t.deepEqual(
		two.filter(isExchange),
		['conv3', 'fc6', 'fc7', 'fc8'].map((name) => `${name}-exchange`),
	);
});

forEachDevice('an operation is checked, and timed where the device has a clock', async (t, {device}) => {
	const run = runOperation(device, operationTrial('softmax-loss', 2, 'fp32'), {repetitions: 3, flush: 2 ** 16});
	if (isSimulated(device.id)) {
		await t.throwsAsync(run, {code: 'ALEXNET_OPERATION', message: /has no clock/});
	} else {
		const {milliseconds, clocks} = await run;
		t.true(milliseconds.length === 3 && milliseconds.every((value) => value > 0));
		t.is(clocks, undefined);
	}
	t.is(device.memory().bytes, 0);
});

test('a CPU’s bound is what was measured of it', (t) => {
	const measured = {trial: 'fc8-forward', devices: ['cpu:0'], precision: 'fp32', batchSize: 128} as const;
	const row = rowOf({...measured, samples: {milliseconds: [3, 1, 2]}}, {bandwidth: 50e9, peak: 200e9});
	const milliseconds = (2 * 128 * 4096 * 1000) / 200e6;
	t.like(row, {medianMs: 2, boundBy: 'peak', boundFrom: 'measured', timedBy: 'queue', batchSize: 128});
	t.true(Math.abs(row.boundMs! / milliseconds - 1) < 1e-12);
	t.is(row.shareOfBound, row.boundMs! / 2);
	t.is(row.modelledMs, undefined);
	t.deepEqual(describeMachine([row]), [
		'cpu:0 at its best by its own copies and products, measured in this run: 50.0 GB/s, 200 GFLOP/s in fp32.',
	]);
});

test('modelled rows: of a GPU that is known, for batches that are', (t) => {
	const options = {gpu: 'h100', precision: 'bf16', batchSize: 128} as const;
	const rows = modelledRows(['conv2-forward', 'sgd'], options);
	t.like(rows[0], {trial: 'conv2-forward', modelledFor: 'H100', batchSize: 128});
	t.like(rows[1], {modelledBy: 'memory', boundBy: 'bandwidth'});
	t.is(modelledRows(['conv2-forward'], {...options, batchSize: 1})[0]?.batchSize, 1);
	for (const row of rows) t.true(row.shareOfBound > 0 && row.shareOfBound < 1, JSON.stringify(row));
	t.throws(() => modelledRows(['sgd'], {...options, gpu: 'H900'}), {
		code: 'ALEXNET_ARGUMENT',
		message: /^No data sheet of 'H900' is known here\. There are: T4, A100 80GB, /,
	});
	t.throws(() => modelledRows(['conv2-forward'], {...options, batchSize: 7}), {
		code: 'ALEXNET_ARGUMENT',
		message: /batches of 128 and 1 only/,
	});
	// The disassembler at hand did not know Blackwell.
	t.throws(() => modelledRows(['conv2-forward'], {...options, gpu: 'RTX 5090'}), {
		message: /has no counts of its kernels/,
	});
});

const large = 'conv2dForwardKernel<Tile<float, 128, 128, 8, 2>, true, float>';
const mma = 'mma::conv2dForwardMmaKernel<mma::Tile<k256x128, __nv_bfloat16>>';
const sound: KernelFacts = {
	...{kernel: mma, file: 'kernels/x.cu', computeCapability: '9.0', registers: 200, spills: 0, plannedBlocks: 1},
	code: {all: 900, ffma: 0, hmma: 128, sharedBytes: 0},
	inner: {all: 193, ffma: 0, hmma: 64, sharedBytes: 0},
};
const launch: LaunchFacts = {kernel: mma, grid: [10, 1, 1], threads: 256, sharedBytes: 73728};

function gatesOf(kernel: KernelFacts, changed: Partial<LaunchFacts> = {}): string[] {
	const facts: Facts = {
		compiler: 'nvcc',
		kernels: [kernel],
		operations: [
			{
				...{trial: 'conv2-forward', precision: 'bf16', batchSize: 128, computeCapability: '9.0', multiprocessors: 132},
				launches: [{...launch, ...changed}],
			},
		],
	};
	return missedGates(facts, gpus).map(({gate}) => gate);
}

test('gates let a sound kernel pass, and each finds its mistake', (t) => {
	t.deepEqual(gatesOf(sound), []);
	t.deepEqual(gatesOf({...sound, spills: 8}), ['no spills']);
	t.deepEqual(gatesOf({...sound, code: {...sound.code!, hmma: 0}}), ['tensor cores']);
	t.deepEqual(gatesOf({...sound, plannedBlocks: 2}), ['occupancy']);
	t.deepEqual(gatesOf({...sound, plannedBlocks: 2, registers: 128}), []);
	t.deepEqual(gatesOf({...sound, plannedBlocks: 2, registers: 128}, {sharedBytes: 120_000}), ['occupancy']);
	t.deepEqual(gatesOf({...sound, inner: {...sound.inner!, all: 300}}), ['issue slots']);
	t.deepEqual(gatesOf(sound, {kernel: large}), ['known']);
});

test('what each launch of an operation has to do', (t) => {
	const operation = (launches: LaunchFacts[]) => ({
		...({trial: 'x', precision: 'bf16', batchSize: 128, computeCapability: '9.0', multiprocessors: 132} as const),
		launches,
	});
	// conv2's weight gradient, 128 x 1200 x 93312 in two groups: tiles of 128 x 256, 13 splits, then two sums.
	const trial = operationTrial('conv2-weight-gradient', 128, 'bf16');
	const tiles = {
		...launch,
		kernel: 'mma::conv2dBackwardWeightsMmaKernel<mma::Tile<k128x256, __nv_bfloat16>>',
		grid: [1, 5, 26] as const,
	};
	const sum = {...launch, kernel: 'sumPartialsKernel'};
	const [product, first, second] = worksOf(operation([tiles, sum, sum]), trial);
	t.is(product?.products, 5 * 128 * 256 * 93312 * 2);
	t.is(product?.cacheBytes, 5 * (128 + 256) * 93312 * 2 * 2);
	t.is(
		product?.memoryBytes,
		Object.values(trial.tensors).reduce((total, {bytes}) => total + bytes, 0),
	);
	t.deepEqual(first, {memoryBytes: 0, products: 0, cacheBytes: 26 * 128 * 1200 * 4});
	t.deepEqual(second, {memoryBytes: 0, products: 0, cacheBytes: 0});
	// conv1 on tensor cores, in two parts: windows of 432, half of the pixels each.
	const unfold = {...launch, kernel: 'mma::unfoldPicturesKernel', grid: [100, 1, 1] as const};
	const half = {
		...launch,
		kernel: 'mma::conv2dForwardMmaKernel<mma::Tile<k128x96, __nv_bfloat16>>',
		grid: [1513, 1, 1] as const,
	};
	const works = worksOf(operation([unfold, half, unfold, half]), operationTrial('conv1-forward', 128, 'bf16'));
	t.deepEqual(
		works.map(({products}) => products),
		[0, 1513 * 128 * 96 * 432, 0, 1513 * 128 * 96 * 432],
	);
	t.is(works[0]?.cacheBytes, 100 * 256 * 24);
});
