// What users read when something goes wrong on a GPU. On simulated GPUs, where it can be made to go wrong.
import anyTest, {type ExecutionContext} from 'ava';
import type {ErrorCode} from '../../lib/base/errors.ts';
import {requireBuild} from '../simulator/build.ts';
import type {Outcome} from './failing-child.ts';
import {nvcc, test} from './nvcc.ts';
import {onSimulatedGpus, type Settings} from './simulated.ts';

anyTest.before(() => {
	if (nvcc !== undefined) requireBuild();
});

/** Runs a scenario of failing-child.ts, which must end well, whatever went wrong in it. */
function outcomesOf(t: ExecutionContext, settings: Settings, ...scenario: string[]): Outcome[] {
	const {status, stdout, stderr} = onSimulatedGpus(settings, 'test/cuda/failing-child.ts', scenario);
	t.is(status, 0, stderr);
	t.is(stderr, '');
	return JSON.parse(stdout) as Outcome[];
}

/** Checks one error's code and whole message. */
function assertError(t: ExecutionContext, outcome: Outcome | undefined, code: ErrorCode, message: string): void {
	t.deepEqual(outcome, {code, message});
}

test('there is no such device', (t) => {
	const gpus = 'cuda:0 NVIDIA A100 (simulated), cuda:1 NVIDIA A100 (simulated)';
	const outcomes = outcomesOf(t, {}, 'open', 'cuda:7');
	for (const outcome of outcomes) {
		assertError(t, outcome, 'ALEXNET_DEVICE', `There is no cuda:7 here. Found ${gpus}.`);
	}
	t.is(outcomes.length, 2);
});

test('a tensor that does not fit: need and free, and the device goes on', (t) => {
	const outcomes = outcomesOf(t, {MEMORY: '64000000'}, 'allocate', '20000000');
	const need = 'Out of memory on cuda:0: 80 MB are needed, 64 MB are free. Try a smaller batchSize.';
	assertError(t, outcomes[0], 'ALEXNET_MEMORY', need);
	t.deepEqual(outcomes[1], {result: 5});
});

test('a transfer takes no memory of the GPU on its way', (t) => {
	const outcomes = outcomesOf(t, {MEMORY: '200000'}, 'upload', '40000');
	t.deepEqual(outcomes, [{}, {result: 5}]);
});

test('a net that does not fit, and a batch that does not', (t) => {
	const [net] = outcomesOf(t, {MEMORY: '100000'}, 'train');
	t.is(net?.code, 'ALEXNET_MEMORY');
	t.regex(net?.message ?? '', /^Out of memory on cuda:0: This net needs \d+ MB, 0 MB are free\. /);
	const [batch, ...others] = outcomesOf(t, {MEMORY: '20000000', PROCESSORS: '4'}, 'train', '2048');
	t.is(batch?.code, 'ALEXNET_MEMORY');
	t.regex(
		batch?.message ?? '',
		/^Out of memory on cuda:0: A training step of 2,?048 pictures needs \d+ MB, \d+ MB are /,
	);
	t.deepEqual(others.at(-1), {result: 0}, 'bytes held after dispose()');
});

const refusedLaunch =
	'too many resources requested for launch (cudaErrorLaunchOutOfResources). The kernel does not fit this GPU, and did ' +
	"not run. Please report it with the output of 'alexnet devices'.";
const fault = 'an illegal memory access was encountered (cudaErrorIllegalAddress).';
const advice = ' A kernel that was launched before may be the culprit: ALEXNET_SYNC=1 finds it.';
const restart = ' cuda:0 does not work in this process any more: restart it.';
const echo = 'cuda:0 does not work in this process any more, since an earlier error: ';

test('a launch that fails names its kernel, and the device goes on', (t) => {
	const outcomes = outcomesOf(t, {FAULT: 'fillKernel:2:launch'}, 'fill');
	assertError(t, outcomes[1], 'ALEXNET_OPERATION', `fill: fillKernel on cuda:0: ${refusedLaunch}`);
	t.deepEqual(
		[...outcomes.slice(0, 1), ...outcomes.slice(2)],
		[{result: 1}, {result: 3}, {}, {result: [1]}, {result: true}, {result: 'cuda:1'}],
	);
});

/** After an error of cuda:0: all that it is asked repeats that, and cuda:1 can be had. */
function assertLost(t: ExecutionContext, outcomes: readonly Outcome[], first: string): void {
	for (const [index, prefix] of ['', 'synchronize: ', '', ''].entries()) {
		assertError(t, outcomes[index], 'ALEXNET_OPERATION', `${prefix}${echo}${first} Restart the process.`);
	}
	t.deepEqual(outcomes.slice(4), [{result: 'cuda:1'}]);
}

test('a kernel that fails while it runs: all that follows names the first error, which says how to find it', (t) => {
	const outcomes = outcomesOf(t, {FAULT: 'fillKernel:2'}, 'fill');
	t.deepEqual(outcomes[0], {result: 1});
	const first = `cudaEventQuery on cuda:0: ${fault}${advice}`;
	assertError(t, outcomes[1], 'ALEXNET_OPERATION', `read: ${first}${restart}`);
	assertLost(t, outcomes.slice(2), first);
});

test('with ALEXNET_SYNC=1 the first error is that of the kernel', (t) => {
	const outcomes = outcomesOf(t, {FAULT: 'fillKernel:2', ALEXNET_SYNC: '1'}, 'fill');
	t.deepEqual(outcomes[0], {result: 1});
	const first = `fillKernel on cuda:0: ${fault}`;
	assertError(t, outcomes[1], 'ALEXNET_OPERATION', `fill: ${first}${restart}`);
	assertLost(t, outcomes.slice(2), first);
});

test('a build for other GPUs', (t) => {
	const none = 'No kernel image is available for cuda:0';
	assertError(
		t,
		outcomesOf(t, {PROFILE: '75', PTX: '80'}, 'open', 'cuda:0')[0],
		'ALEXNET_DEVICE',
		`${none} (NVIDIA T4 (simulated), compute capability 7.5): this build was made for other GPUs. Build it with ` +
			'ALEXNET_CUDA_ARCHITECTURES=75 or =release.',
	);
	assertError(
		t,
		outcomesOf(t, {PROFILE: '70'}, 'open', 'cuda:0')[0],
		'ALEXNET_DEVICE',
		`${none} (Tesla V100 (simulated), compute capability 7.0): the kernels need compute capability 7.5 or newer. Take ` +
			'another device.',
	);
});

for (const [gpu, id] of ['cuda:0', 'cuda:1'].entries()) {
	test(`of two devices, ${id} refuses a launch: the step rejects with that, and the next step works`, (t) => {
		const outcomes = outcomesOf(t, {FAULT: `lrnMaxPoolForwardKernel:1:launch@${gpu}`}, 'train');
		assertError(t, outcomes[0], 'ALEXNET_OPERATION', `lrnMaxPool: lrnMaxPoolForwardKernel on ${id}: ${refusedLaunch}`);
		t.deepEqual(outcomes.slice(1), [{result: true}, {result: 0}]);
	});

	test(`of two devices, a kernel fails on ${id}: both steps reject with that, and the model can be disposed of`, (t) => {
		const outcomes = outcomesOf(t, {FAULT: `lrnMaxPoolForwardKernel:1@${gpu}`, ALEXNET_SYNC: '1'}, 'train');
		const culprit = `lrnMaxPoolForwardKernel on ${id}: ${fault}`;
		for (const outcome of outcomes.slice(0, 2)) {
			t.is(outcome.code, 'ALEXNET_OPERATION');
			t.true(outcome.message?.includes(culprit), outcome.message);
		}
		t.deepEqual(outcomes.slice(2), [{result: 0}]);
	});

	test(`of two devices, a kernel fails on ${id} when all is launched: the step rejects with that, and all ends`, (t) => {
		const outcomes = outcomesOf(t, {FAULT: `lrnMaxPoolForwardKernel:1@${gpu}`}, 'train');
		for (const outcome of outcomes.slice(0, 2)) {
			t.is(outcome.code, 'ALEXNET_OPERATION');
			t.regex(outcome.message ?? '', new RegExp(` on ${id}: .*cudaErrorIllegalAddress`));
		}
		t.deepEqual(outcomes.slice(2), [{result: 0}]);
	});
}

test('a GPU that fails leaves one that has nothing to do with it as it was', (t) => {
	const outcomes = outcomesOf(t, {FAULT: 'fillKernel:1'}, 'apart');
	t.is(outcomes[1]?.code, 'ALEXNET_OPERATION');
	t.deepEqual([outcomes[0], ...outcomes.slice(2)], [{result: 1}, {result: 3}, {result: true}]);
});

test('a GPU that waits for one that has failed says so, and the process ends', (t) => {
	const [read, ofFirst, ofSecond, ...others] = outcomesOf(t, {FAULT: 'fillKernel:1'}, 'stuck');
	const text = 'cuda:1 waits for cuda:0, which has failed: an illegal memory access was encountered ';
	const error = `${text}(cudaErrorIllegalAddress).`;
	assertError(t, read, 'ALEXNET_PEER', `read: ${error} cuda:1 does not work in this process any more: restart it.`);
	t.is(ofFirst?.code, 'ALEXNET_OPERATION');
	t.regex(ofFirst?.message ?? '', /^synchronize: \w+ on cuda:0: .*cudaErrorIllegalAddress/);
	t.is(ofSecond?.code, 'ALEXNET_PEER');
	t.deepEqual(others, [{result: 5}], 'what does not wait goes on');
});
