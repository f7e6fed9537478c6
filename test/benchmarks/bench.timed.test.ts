import test, {type ExecutionContext} from 'ava';
import {openDevice} from '../../lib/device/device.ts';
import {input, output, trial} from '../../benchmarks/operation.ts';
import {runOperation} from '../../benchmarks/run-operation.ts';
import type {BenchmarkRow} from '../../benchmarks/rows.ts';
import {runTrials} from '../../benchmarks/run.ts';
import {quartiles} from '../../benchmarks/timing.ts';
import {costOf, trialNames} from '../../benchmarks/trials.ts';
import {test as testWithNvcc} from '../cuda/nvcc.ts';
import {alexnet} from '../helpers/command.ts';

const numbers = [
	'medianMs',
	'imagesPerSecond',
	'gigabytesPerSecond',
	'bandwidthGigabytesPerSecond',
	'peakGigaflops',
] as const;

test('bench list tells the trials', async (t) => {
	const {code, stdout} = await alexnet(['bench', 'list']);
	t.is(code, 0);
	t.deepEqual(stdout.trim().split('\n'), [...trialNames(), 'shared-machine', 'data']);
});

async function bench(t: ExecutionContext, args: string[]): Promise<BenchmarkRow[]> {
	const {code, stdout, stderr} = await alexnet(['bench', ...args, '--repetitions', '2', '--json']);
	t.is(code, 0, stderr);
	const rows = JSON.parse(stdout) as BenchmarkRow[];
	for (const row of rows) {
		for (const name of numbers)
			t.true(Number.isFinite(row[name]) && row[name] > 0, `${row.trial} ${name} ${row[name]}`);
		t.true(row.spreadMs >= 0);
		t.true(row.boundMs !== undefined && row.boundMs > 0);
		t.is(row.shareOfBound, row.boundMs! / row.medianMs);
		t.is(row.boundFrom, 'measured');
	}
	return rows;
}

test.serial('bench measures a training step', async (t) => {
	const [row, ...others] = await bench(t, [
		'train-step',
		'--device',
		'cpu',
		'--precision',
		'bf16',
		'--batch-size',
		'2',
	]);
	t.deepEqual(others, []);
	t.like(row, {trial: 'train-step', device: 'cpu:0', precision: 'bf16', batchSize: 2, repetitions: 2});
	t.true(row && row.gigaflops > 0);
	t.true(row && Math.abs(row.imagesPerSecond - 2000 / row.medianMs) < 1e-9 * row.imagesPerSecond);
});

test.serial('bench measures the net with a column on each device', async (t) => {
	const [row, ...others] = await bench(t, ['inference', '--device', 'cpu:0,cpu:1', '--batch-size', '2']);
	t.deepEqual(others, []);
	t.like(row, {trial: 'inference', device: 'cpu:0,cpu:1', batchSize: 2});
});

test.serial('bench measures all trials whose names begin alike', async (t) => {
	const rows = await bench(t, ['lrn2', '--batch-size', '1']);
	t.deepEqual(
		rows.map(({trial, boundBy}) => [trial, boundBy]),
		[
			['lrn2-forward', 'bandwidth'],
			['lrn2-backward', 'bandwidth'],
			['lrn2-pool2-forward', 'bandwidth'],
			['lrn2-pool2-backward', 'bandwidth'],
		],
	);
});

test.serial('rows that are measured are not lost where a later trial fails', async (t) => {
	const leaving = new AbortController();
	const reason = new Error('enough');
	const onProgress = (trial: string): void => {
		if (trial === 'lrn2-backward') leaving.abort(reason);
	};
	const options = {devices: ['cpu:0'], precision: 'fp32', batchSize: 1, repetitions: 1} as const;
	const measured = runTrials(['lrn2-forward', 'lrn2-backward'], {...options, signal: leaving.signal, onProgress});
	const {rows, failure} = await measured;
	t.is(failure, reason);
	t.deepEqual(
		rows.map(({trial}) => trial),
		['lrn2-forward'],
	);
	t.true(rows[0]!.boundMs! > 0);
	await t.throwsAsync(runTrials(['lrn2-forward'], {...options, signal: leaving.signal}), {message: 'enough'});
});

test.serial('without --json there is a table', async (t) => {
	const {code, stdout, stderr} = await alexnet(['bench', 'softmax-loss', '--batch-size', '2', '--repetitions', '2']);
	t.is(code, 0, stderr);
	t.regex(
		stdout,
		/^trial +batch +median ms .*\nsoftmax-loss +\d.* %\ncpu:0 at its best by its own copies and products, measured in this run: .* GB\/s, \d+ GFLOP\/s in fp32\./,
	);
	t.regex(stderr, /^Device: cpu:0 /);
});

testWithNvcc('bench refuses simulated GPUs at once', async (t) => {
	for (const trial of ['train-step', 'cast', 'shared-machine']) {
		const environment = {ALEXNET_SIMULATED_GPUS: '1'};
		const {code, stdout, stderr} = await alexnet(['bench', trial, '--device', 'cuda:0', '--json'], {environment});
		t.deepEqual([code, stdout], [1, ''], stderr);
		t.is(
			stderr,
			'error: cuda:0 is simulated, and has no clock. Take a real device, or --simulated H100 for what the model says of one. (ALEXNET_DEVICE)\n',
			'before a device is named or anything is measured',
		);
	}
});

test('there is a trial for each operation of the net', (t) => {
	const names = trialNames();
	t.is(new Set(names).size, names.length);
	const conv = ['conv1', 'conv2', 'conv3', 'conv4', 'conv5'];
	const linear = ['fc6', 'fc7', 'fc8'];
	const expected = [
		...[...conv, ...linear].flatMap((name) => [`${name}-forward`, `${name}-weight-gradient`]),
		...[...conv.slice(1), ...linear].map((name) => `${name}-input-gradient`),
		...['lrn1', 'lrn2', 'pool1', 'pool2', 'pool5'].flatMap((name) => [`${name}-forward`, `${name}-backward`]),
		...['train-step', 'inference', 'inference-1', 'augment', 'dropout6', 'dropout7', 'softmax-loss', 'sgd', 'cast'],
	];
	t.deepEqual(
		expected.filter((name) => !names.includes(name)),
		[],
	);
	t.false(names.includes('conv1-input-gradient'));
});

test('work follows from the shapes', (t) => {
	// By hand: 55*55*96 outputs of conv1, each of 11*11*3 products.
	t.is(costOf('conv1-forward', 1, 'fp32').operations, 2 * 55 * 55 * 96 * 363);
	const pool1 = 4 * (55 * 55 * 96 + 27 * 27 * 96);
	t.is(costOf('pool1-forward', 1, 'fp32').bytes, pool1);
	t.is(costOf('pool1-backward', 3, 'bf16').bytes, (3 * pool1) / 2);
	// The paper's net has 724.4 million products forward, and conv1, 105.4 million of them, has no input gradient.
	const [forward, training] = [costOf('inference', 2, 'fp32'), costOf('train-step', 2, 'fp32')];
	t.true(Math.abs(forward.operations - 2 * 2 * 724.4e6) < 2 * 2 * 0.05e6);
	t.true(Math.abs(training.operations - 2 * 2 * (3 * 724.4e6 - 105.4e6)) < 2 * 2 * 0.2e6);
	// 60,965,224 parameters in fp32: three tensors read and two written.
	t.is(costOf('sgd', 1, 'fp32').bytes, 5 * 4 * 60_965_224);
});

test('quartiles are interpolated', (t) => {
	t.deepEqual(quartiles([4, 1, 3, 2]), {lower: 1.75, median: 2.5, upper: 3.25});
	t.deepEqual(quartiles([7]), {lower: 7, median: 7, upper: 7});
});

test('an operation that does not write its output is not timed', async (t) => {
	const device = openDevice('cpu');
	const idle = trial({
		name: 'idle',
		tensors: {input: input([8], 'float32'), output: output([8], 'float32')},
		run: () => undefined,
	});
	try {
		await t.throwsAsync(runOperation(device, idle, {repetitions: 1}), {
			code: 'ALEXNET_OPERATION',
			message: /idle left output \[8\]/,
		});
		t.is(device.memory().bytes, 0);
	} finally {
		device.close();
	}
});
