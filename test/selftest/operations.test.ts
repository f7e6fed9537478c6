// No operation that is wrong gets past the selftest, and one that fails does not end it.
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {verdict} from '../../cli/selftest-report.ts';
import {native} from '../../lib/device/native.ts';
import type {Operations} from '../../lib/device/operations.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {casesOf, operationCases} from '../../lib/selftest/cases/index.ts';
import {checkOperations} from '../../lib/selftest/check-operations.ts';
import {checkSteps, smallStep} from '../../lib/selftest/check-steps.ts';
import {checkExchange} from '../../lib/selftest/exchange.ts';
import type {OperationCase} from '../../lib/selftest/operation-case.ts';
import {Random} from '../../lib/selftest/random.ts';
import type {TestResult} from '../../lib/selftest/result.ts';
import {TestedDevice} from '../../lib/selftest/tested-device.ts';
import {compareClose, Sums} from '../../lib/selftest/tolerance.ts';
import {test as testWithNvcc} from '../cuda/nvcc.ts';
import {
	gather,
	LosableDevices,
	namesOf,
	openCpu,
	outputsOf,
	perturbed,
	replace,
	spoil,
	testedVerbs,
	tools,
} from '../helpers/faulty-subject.ts';

const all = operationCases();
/** The last case of each type: small ones. */
const few = new Map(
	[...all].map(([operation, cases]) => {
		const last = (type: string): OperationCase[] => cases.filter((one) => one.type === type && !one.fillsGpu).slice(-1);
		return [operation, [...last('float32'), ...last('bfloat16')]];
	}),
);

async function check(
	subject: Operations,
	cases: ReadonlyMap<string, OperationCase[]>,
	open = openCpu,
): Promise<TestResult[]> {
	using device = new TestedDevice('cpu:0', open);
	return await gather(checkOperations([device], cases, {...tools, operations: subject}));
}

test('every operation has its cases, in both precisions where it has both', (t) => {
	t.deepEqual([...all.keys()].toSorted(), testedVerbs.toSorted());
	const others = ['send', 'lrnWorkspaceBytes', 'maxPoolWorkspaceBytes'];
	const rest = [
		'Device',
		'Recording',
		'listDevices',
		'cudaAvailability',
		'endChildrenWithThread',
		'lockFile',
		'makeErrorsWith',
	];
	t.deepEqual(
		Object.keys(native).toSorted(),
		[...testedVerbs, ...others, ...rest].toSorted(),
		'what the addon exports',
	);
	const single = [...all].filter(([, cases]) => !cases.some(({type}) => type === 'bfloat16'));
	t.deepEqual(single.map(([operation]) => operation).toSorted(), ['normal', 'permute', 'softmax']);
	for (const operation of testedVerbs) {
		const titles = casesOf(operation).map(({type, title}) => `${type} ${title}`);
		t.deepEqual(
			titles.filter((title, index) => titles.indexOf(title) !== index),
			[],
			operation,
		);
	}
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
				new Set(
					few
						.get(verb)!
						.filter(({tf32}) => !tf32)
						.map(({type}) => (type === 'float32' ? 'fp32' : 'bf16')),
				),
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
	const names = ['augment', 'linear', 'fill', 'cast'] as const;
	const cases = new Map(names.map((name) => [name, few.get(name)!]));
	const results = await gather(checkOperations([lost, other], cases, {...tools, operations: subject}));
	const of = (id: string): TestResult[] => results.filter(({on}) => on === id);
	t.deepEqual(
		of('cpu:1').map(({outcome}) => outcome),
		['passed', 'failed', 'not run', 'not run'],
	);
	t.is(of('cpu:1')[1]!.failures.length, 1, 'its other cases are not run');
	t.is(of('cpu:1')[2]!.note, 'cpu:1 has failed');
	t.deepEqual(namesOf(of('cpu:0'), 'not run'), []);
	const step = await gather(checkSteps([[lost], [lost, other]], smallStep, tools));
	const exchange = await gather(checkExchange([lost, other], tools));
	t.deepEqual(new Set([...step, ...exchange].map(({outcome}) => outcome)), new Set(['not run']));
	const {isPassed, text} = verdict([...results, ...step, ...exchange]);
	t.false(isPassed);
	t.regex(text, /^\nFAILED: linear on cpu:1, linear on cpu:0; 7 not run\. \d passed\.$/);
});

testWithNvcc('a simulated GPU whose kernel failed is given up, and it is said why', async (t) => {
	const child = fileURLToPath(new URL('../helpers/lost-gpu-child.ts', import.meta.url));
	const env = {...process.env, ALEXNET_SIMULATED_GPUS: '1'};
	const {stdout} = await promisify(execFile)(process.execPath, ['--import=tsx', child], {env});
	const results = JSON.parse(stdout) as TestResult[];
	t.deepEqual(
		results.map(({outcome}) => outcome),
		['passed', 'failed', 'not run', 'not run'],
	);
	const [, {failures, note}] = results as [TestResult, TestResult];
	t.is(failures.length, 1);
	t.is(failures[0]!.code, 'ALEXNET_OPERATION');
	t.regex(failures[0]!.message, /addKernel.* that nobody wrote/);
	t.is(note, 'cuda:0 has failed');
});
