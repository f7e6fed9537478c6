// The selftest: that it passes where all is right, and that nothing wrong gets past it.
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {verdict} from '../../lib/cli/selftest-report.ts';
import {cudaAvailability, openDevice} from '../../lib/device.ts';
import type {Operations, Tensor} from '../../lib/native.ts';
import {operations} from '../../lib/ops.ts';
import {operationCases} from '../../lib/selftest/cases/index.ts';
import {checkOperations} from '../../lib/selftest/check-operations.ts';
import {checkSteps, smallStep} from '../../lib/selftest/check-steps.ts';
import {checkExchange} from '../../lib/selftest/exchange.ts';
import type {Facts} from '../../lib/selftest/facts.ts';
import type {OperationCase} from '../../lib/selftest/operation-case.ts';
import {Random} from '../../lib/selftest/random.ts';
import type {TestResult} from '../../lib/selftest/result.ts';
import {TestedDevice, type Open} from '../../lib/selftest/tested-device.ts';
import {compareClose, Sums} from '../../lib/selftest/tolerance.ts';
import {takeStep, type StepOutcome, type TakeStep} from '../../lib/selftest/training-step.ts';
import {alexnet, controlCharacters} from '../helpers/command.ts';
import {LosableDevices, outputsOf, perturbed, replace, spoil, testedVerbs} from '../helpers/faulty-subject.ts';

const all = operationCases();
/** The last case of each type: small ones. */
const few = new Map(
	[...all].map(([operation, cases]) => {
		const last = (type: string): OperationCase[] => cases.filter((one) => one.type === type && !one.fillsGpu).slice(-1);
		return [operation, [...last('float32'), ...last('bfloat16')]];
	}),
);

const isSimulated = (): boolean => true; // no times
const tools = {seed: 3, operations, takeStep, isSimulated};
const openCpu: Open = (id) => openDevice(id);

async function gather(results: AsyncGenerator<TestResult>): Promise<TestResult[]> {
	const list: TestResult[] = [];
	for await (const result of results) list.push(result);
	return list;
}

async function check(
	subject: Operations,
	cases: ReadonlyMap<string, OperationCase[]>,
	open = openCpu,
): Promise<TestResult[]> {
	using device = new TestedDevice('cpu:0', open);
	return await gather(checkOperations([device], cases, {...tools, operations: subject}));
}

const namesOf = (results: readonly TestResult[], outcome: TestResult['outcome']): string[] =>
	results.filter((result) => result.outcome === outcome).map((result) => result.test);

test('every operation has its cases, in both precisions where it has both', (t) => {
	t.deepEqual([...all.keys()].toSorted(), testedVerbs.toSorted());
	const single = [...all].filter(([, cases]) => !cases.some(({type}) => type === 'bfloat16'));
	t.deepEqual(single.map(([operation]) => operation).toSorted(), ['normal', 'permute', 'softmax']);
	for (const cases of all.values()) t.is(new Set(cases.map(({type, title}) => `${type} ${title}`)).size, cases.length);
});

for (const verb of testedVerbs) {
	for (const field of outputsOf[verb]) {
		test.serial(`one wrong element of ${verb}'s ${field} fails ${verb} and nothing else`, async (t) => {
			const results = await check(perturbed(verb, field, new Random(t.title)), few);
			t.deepEqual(namesOf(results, 'failed'), [verb]);
			t.is(namesOf(results, 'passed').length, all.size - 1);
			const {failures} = results.find((result) => result.outcome === 'failed')!;
			t.deepEqual(
				new Set(failures.map(({precision}) => precision)),
				new Set(few.get(verb)!.map(({type}) => (type === 'float32' ? 'fp32' : 'bf16'))),
			);
			t.regex(failures[0]!.message, /element \d+ of \d+ is \S+, expected \S+; 1 differ/);
		});
	}

	test.serial(`${verb} that does nothing fails`, async (t) => {
		const results = await check(
			replace(verb, () => undefined),
			new Map([[verb, few.get(verb)!]]),
		);
		t.deepEqual(namesOf(results, 'failed'), [verb]);
	});
}

test.serial('a byte written outside the outputs is told', async (t) => {
	const isInput = replace('add', (options: {input: Tensor}, original) => {
		original(options);
		spoil(options.input, new Random(t.title));
	});
	const [result] = await check(isInput, new Map([['add', few.get('add')!]]));
	t.regex(result!.failures[0]!.message, /byte \d+ was written, which is not the operation's/);
});

test('an error just below what is permitted passes, one just above fails', (t) => {
	const expected = new Sums(1);
	expected.add(0, 1);
	const unit = 2 ** -24;
	for (const [share, passes] of [
		[0.99, true],
		[1.01, false],
	] as const) {
		const actual = Float64Array.of(1 + share * (3 * unit + unit * (1 + 3 * unit)));
		t.is(compareClose('output', actual, expected, 'float32', () => 3).failure === undefined, passes);
	}
	t.is(compareClose('output', Float64Array.of(NaN), expected, 'float32').share, Infinity);
});

test.serial(
	'an operation that throws, or fails on the queue, is told with its code, and the rest goes on',
	async (t) => {
		const throws = replace('add', () => operations.fill({output: undefined as unknown as Tensor, value: 1}));
		const queued = replace('softmaxLoss', (options: {labels: Tensor}, original) => {
			options.labels.write(new Int32Array(options.labels.shape[0]!).fill(-1));
			original(options);
		});
		for (const [subject, verb, code] of [
			[throws, 'add', 'ALEXNET_ARGUMENT'],
			[queued, 'softmaxLoss', 'ALEXNET_LABEL'],
		] as const) {
			const results = await check(subject, few);
			t.deepEqual(namesOf(results, 'failed'), [verb]);
			t.deepEqual(namesOf(results, 'not run'), []);
			t.is(results.find((result) => result.test === verb)!.failures[0]!.code, code);
		}
	},
);

test.serial('a device that is lost ends its own tests only', async (t) => {
	const devices = new LosableDevices();
	const subject = replace('linear', () => {
		devices.isLost = true;
		throw new Error('linearForward: unspecified launch failure');
	});
	using lost = new TestedDevice('cpu:1', devices.open);
	using other = new TestedDevice('cpu:0', openCpu);
	const names = ['augment', 'linear', 'fill', 'cast'];
	const cases = new Map(names.map((name) => [name, few.get(name)!]));
	const results = await gather(checkOperations([lost, other], cases, {...tools, operations: subject}));
	const of = (id: string): TestResult[] => results.filter(({on}) => on === id);
	t.deepEqual(
		of('cpu:1').map(({outcome}) => outcome),
		['passed', 'failed', 'not run', 'not run'],
	);
	t.is(of('cpu:1')[1]!.failures.length, 1, 'its other cases are not run');
	t.is(of('cpu:1')[2]!.note, 'cpu:1 failed: unspecified launch failure');
	t.deepEqual(namesOf(of('cpu:0'), 'not run'), []);
	const step = await gather(checkSteps([[lost], [lost, other]], smallStep, tools));
	const exchange = await gather(checkExchange([lost, other], tools));
	t.deepEqual(new Set([...step, ...exchange].map(({outcome}) => outcome)), new Set(['not run']));
	const {isPassed, text} = verdict([...results, ...step, ...exchange]);
	t.false(isPassed);
	t.regex(text, /^\nFAILED: linear on cpu:1, linear on cpu:0; 7 not run\. \d passed\.$/);
});

/** A step that is as the CPU's but on cpu:1, where it is changed. */
function stepWith(change: (outcome: StepOutcome, call: number) => StepOutcome): TakeStep {
	let calls = 0;
	return async (task, devices) => {
		const outcome = await takeStep(task, devices);
		return devices[0] === 'cpu:1' ? change(outcome, calls++) : outcome;
	};
}

async function step(take: TakeStep): Promise<TestResult> {
	using device = new TestedDevice('cpu:1', openCpu);
	const [result] = await gather(checkSteps([[device]], smallStep, {...tools, takeStep: take}));
	return result!;
}

/** Moves an element by a share of what its tensor's norm is. */
function moved(values: ReadonlyMap<string, Float32Array>, name: string, share: number): Map<string, Float32Array> {
	const changed = Float32Array.from(values.get(name)!);
	const norm = Math.hypot(...changed);
	changed[changed.length - 1]! += share * norm;
	return new Map(values).set(name, changed);
}

test.serial('a step passes where it is right, and fails with another loss, gradient or weight', async (t) => {
	t.is((await step(stepWith((outcome) => outcome))).outcome, 'passed');
	const wrong: readonly [string, (outcome: StepOutcome) => StepOutcome, RegExp][] = [
		['loss', (outcome) => ({...outcome, loss: outcome.loss * 1.1}), /^loss: \S+, expected/],
		[
			'gradient',
			(outcome) => ({...outcome, gradients: moved(outcome.gradients, 'conv3.weight', 0.1)}),
			/^gradient of conv3\.weight: .* furthest is element 3455: \S+, expected/,
		],
		['weight', (outcome) => ({...outcome, after: moved(outcome.after, 'fc8.bias', 0.1)}), /^new fc8\.bias: /],
		['no update', (outcome) => ({...outcome, after: outcome.before}), /^new /],
		['NaN', (outcome) => ({...outcome, gradients: moved(outcome.gradients, 'fc5.bias', NaN)}), /no finite distance/],
	];
	for (const [name, change, message] of wrong) {
		const result = await step(stepWith(change));
		t.is(result.outcome, 'failed', name);
		t.regex(result.failures[0]!.message, message);
	}
});

test.serial('a step that gives other bits the second time fails', async (t) => {
	const {failures} = await step(
		stepWith((outcome, call) => ({...outcome, loss: outcome.loss * (1 + 1e-7 * (call % 2))})),
	);
	t.regex(failures[0]!.message, /other bits/);
});

test.serial('a kink that one draw of pictures meets is told, and no failure', async (t) => {
	const once = stepWith((outcome, call) => {
		return call < 2 ? {...outcome, gradients: moved(outcome.gradients, 'conv1.weight', 1e-4)} : outcome;
	});
	const result = await step(once);
	t.is(result.outcome, 'passed');
	t.is(result.note, 'fp32: as the CPU with the second pictures only');
});

test.serial('an exchange that is wrong fails', async (t) => {
	using first = new TestedDevice('cpu:0', openCpu);
	using second = new TestedDevice('cpu:1', openCpu);
	const exchange = (subject: Operations): Promise<TestResult[]> =>
		gather(checkExchange([first, second], {...tools, operations: subject}));
	const right = await exchange(operations);
	t.deepEqual(
		right.map(({on, outcome}) => [on, outcome]),
		[
			['cpu:0 → cpu:1', 'passed'],
			['cpu:1 → cpu:0', 'passed'],
			['cpu:0 ↔ cpu:1', 'passed'],
		],
	);
	const random = new Random(t.title);
	const copies = await exchange(perturbed('copy', 'output', random));
	t.true(copies.every(({outcome}) => outcome === 'failed'));
	// What is sent is lost once.
	let sent = 0;
	const lost = await exchange(
		replace('send', (options: {input: Tensor; output: Tensor}, original) => {
			const input = sent++ === 7 ? options.output : options.input;
			return input === options.output ? first.device.record() : original(options);
		}),
	);
	t.deepEqual(namesOf(lost, 'failed'), ['exchange']);
	t.is(lost[2]!.outcome, 'failed');
});

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
	t.deepEqual([seed, isPassed, results.length > all.size], [7, true, true]);
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

const simulated = existsSync(fileURLToPath(new URL('../../build/Simulated/Release/alexnet.node', import.meta.url)));

/** Runs the command on simulated GPUs, few of whose processors are enough to have work divided. */
function onSimulated(environment: Readonly<Record<string, string>>): ReturnType<typeof alexnet> {
	return alexnet(['selftest'], {environment: {ALEXNET_SIMULATED_PROCESSORS: '4', ...environment}});
}

(simulated ? test.serial : test.skip)('two simulated GPUs pass', async (t) => {
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
	t.true(stdout.split('\n').length <= 66, `${stdout.split('\n').length} lines`);
});

(simulated ? test.serial : test.skip)('a GPU without memory fails with a code of its own', async (t) => {
	t.timeout(600_000);
	const {code, stdout, stderr} = await onSimulated({ALEXNET_SIMULATED_GPUS: '1', ALEXNET_SIMULATED_MEMORY: '4096'});
	t.is(code, 3, stderr);
	t.regex(stdout, /\(ALEXNET_MEMORY\)$/m);
	t.regex(stdout, /\n\nFAILED: .* on cuda:0.*\n$/);
});
