// The command `alexnet selftest`: what it says, and how it ends.
import test from 'ava';
import {cudaAvailability} from '../../lib/device/device.ts';
import type {Facts} from '../../lib/selftest/facts.ts';
import type {TestResult} from '../../lib/selftest/result.ts';
import {test as testWithNvcc} from '../cuda/nvcc.ts';
import {alexnet, controlCharacters} from '../helpers/command.ts';
import {testedVerbs} from '../helpers/faulty-subject.ts';

interface Json extends Facts {
	seed: number;
	isPassed: boolean;
	results: TestResult[];
}

const noGpu = cudaAvailability().reason !== 'available';

test.serial('the command tells what is tested and why, and passes', async (t) => {
	const {code, stdout, stderr} = await alexnet(['selftest', '--seed', '7', '--json']);
	t.is(code, 0, stderr);
	const {seed, isPassed, results, version, devices} = JSON.parse(stdout) as Json;
	t.deepEqual([seed, isPassed, results.length > testedVerbs.length], [7, true, true]);
	const [first, second] = stderr.split('\n');
	t.true(first!.startsWith(`alexnet-cuda ${version} selftest --seed 7, Node.js ${process.version}, `), first);
	if (noGpu) {
		t.is(second, `No CUDA device: ${cudaAvailability().message}`);
		t.regex(stderr, /^So the CPU is tested\.$/m);
		t.deepEqual(
			devices.map(({id}) => id),
			['cpu:0'],
		);
	}
	for (const verb of testedVerbs) t.regex(stderr, new RegExp(`^\\w+:0 +${verb} .* passed$`, 'm'));
	t.regex(stderr, /\n\nPASSED: all \d+ tests\.\n$/);
	t.true(stderr.split('\n').filter((line) => !/ \d+\/\d+$/.test(line)).length < 60);
	t.deepEqual(controlCharacters(stderr), []);
});

test.serial('--threads says how many threads of the CPU are used, as the report does', async (t) => {
	const {stdout, stderr} = await alexnet(['selftest', '--device', 'cpu', '--threads', '1', '--seed', '7', '--json']);
	const {threads, devices} = JSON.parse(stdout) as Json & {threads: number};
	t.deepEqual([threads, devices.map((device) => device.threads)], [1, [1]]);
	t.regex(stderr, /^alexnet-cuda \S+ selftest --threads 1 --seed 7, /);
	t.regex(stderr, /^cpu:0: .*, 1 core[,(]/m);
	const refused = await alexnet(['selftest', '--threads', '0']);
	t.is(refused.code, 2);
	t.regex(refused.stderr, /--threads <number>.* Expected an integer of at least 1/);
});

test.serial('Ctrl-C ends it', async (t) => {
	const {code, stderr} = await alexnet(['selftest', '--device', 'cpu'], {when: {printed: 'augment', send: 'SIGINT'}});
	t.is(code, 130, stderr);
	t.regex(stderr, /Ending after the current test\.\n(.*\n)*Interrupted by SIGINT\.\n$/);
});

test.serial('a device that is not here is an error', async (t) => {
	const {code, stdout, stderr} = await alexnet(['selftest', '--device', 'cpu:0,tpu']);
	t.deepEqual([code, stdout], [1, '']);
	t.regex(stderr, /Unknown device 'tpu'.*\(ALEXNET_DEVICE\)\n$/);
});

/** Runs the command on simulated GPUs, few of whose processors are enough to have work divided. */
function onSimulated(environment: Readonly<Record<string, string>>): ReturnType<typeof alexnet> {
	return alexnet(['selftest'], {environment: {ALEXNET_SIMULATED_PROCESSORS: '4', ...environment}});
}

testWithNvcc('two simulated GPUs pass', async (t) => {
	t.timeout(600_000);
	const {code, stdout, stderr} = await onSimulated({ALEXNET_SIMULATED_GPUS: '2'});
	t.is(code, 0, stdout + stderr);
	t.regex(stdout, /^cuda:1: .* \(simulated\), compute capability 8\.0/m);
	t.regex(stdout, /^Simulated devices: no times/m);
	for (const on of ['cuda:0', 'cuda:1']) {
		for (const verb of testedVerbs) t.regex(stdout, new RegExp(`^${on} +${verb} .* passed$`, 'm'));
	}
	t.regex(stdout, /^cuda:0 \+ cuda:1 +training step .* passed$/m);
	t.regex(stdout, /^cuda:1 → cuda:0 +exchange .* passed$/m);
	// A line for each operation on each GPU, and little else: the report is to be pasted.
	t.true(stdout.split('\n').length <= 2 * testedVerbs.length + 20, `${stdout.split('\n').length} lines`);
});

for (const way of ['up', 'down']) {
	testWithNvcc(`a simulated GPU passes whose approximate instructions are as far ${way} as they may be`, async (t) => {
		t.timeout(600_000);
		const environment = {ALEXNET_SIMULATED_GPUS: '1', ALEXNET_SIMULATED_APPROXIMATE: way};
		const {code, stdout, stderr} = await onSimulated(environment);
		t.is(code, 0, stdout + stderr);
	});
}

testWithNvcc('a simulated GPU without memory fails with a code of its own', async (t) => {
	t.timeout(600_000);
	const {code, stdout, stderr} = await onSimulated({ALEXNET_SIMULATED_GPUS: '1', ALEXNET_SIMULATED_MEMORY: '4096'});
	t.is(code, 3, stderr);
	t.regex(stdout, /\(ALEXNET_MEMORY\)$/m);
	t.regex(stdout, /\n\nFAILED: .* on cuda:0.*\n$/);
});
