// Steps as CUDA graphs, on simulated GPUs: the bits of the ordinary path, in fewer calls, and what comes of failures.
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type ExecutionContext} from 'ava';
import {requireBuild} from '../simulator/build.ts';
import type {Scenario, Told} from './graph-child.ts';
import type {Lists} from './step-launches-child.ts';
import {nvcc, test} from './nvcc.ts';
import {onSimulatedGpus, type Settings} from './simulated.ts';

anyTest.before(() => {
	if (nvcc !== undefined) requireBuild();
});

const one = ['cuda:0'];
const two = ['cuda:0', 'cuda:1'];
const few = {PROCESSORS: '4'};

/** What a scenario came to, and what the GPUs were asked for, line by line. */
function run(t: ExecutionContext, scenario: Scenario, settings: Settings): Told & {trace: string[]} {
	const folder = mkdtempSync(join(tmpdir(), 'alexnet-graph-'));
	const trace = join(folder, 'trace');
	try {
		const options = {...few, ...settings, TRACE: trace};
		const {status, stdout, stderr} = onSimulatedGpus(options, 'test/cuda/graph-child.ts', [JSON.stringify(scenario)]);
		t.is(status, 0, stderr);
		t.false(stderr.includes('simulator: '), stderr);
		return {...(JSON.parse(stdout) as Told), trace: readFileSync(trace, 'utf8').split('\n')};
	} finally {
		rmSync(folder, {recursive: true});
	}
}

const graphsOf = (trace: readonly string[]): string[] => trace.filter((line) => line.startsWith('launches graph '));

for (const devices of [one, two]) {
	for (const {precision, freeze} of [
		{precision: 'fp32', freeze: []},
		{precision: 'bf16', freeze: ['conv1', 'fc5']},
	] as const) {
		const scenario = {devices, precision, freeze, name: 'course'} as const;
		test(`the bits depend neither on graphs nor on the order of work: ${precision} on ${devices.join(' and ')}`, (t) => {
			const without = run(t, scenario, {ALEXNET_GRAPH: '0'});
			t.true(without.events.length > 20);
			t.deepEqual(graphsOf(without.trace), []);
			for (const SCHEDULE of ['forward', 'reverse', 'random:1', 'random:2']) {
				const with_ = run(t, scenario, {SCHEDULE});
				t.deepEqual(with_.events, without.events, SCHEDULE);
				t.deepEqual(with_.warnings, []);
				t.deepEqual([with_.bytes, without.bytes], [0, 0]);
				t.true(graphsOf(with_.trace).length > 10);
			}
		});
	}
}

test('ALEXNET_SYNC=1 waits for every launch, so that there are no graphs', (t) => {
	const {trace} = run(t, {devices: one, precision: 'fp32', name: 'steps'}, {ALEXNET_SYNC: '1'});
	t.deepEqual(graphsOf(trace), []);
});

for (const devices of [one, two]) {
	const scenario = {devices, precision: 'fp32', name: 'failing'} as const;
	const last = `${devices.length - 1}`;

	for (const kind of ['capture', 'launch']) {
		// The fourth launch is of the second graph; captures are of one kernel each.
		const FAULT = `softmaxLossKernel:${kind === 'capture' ? 1 : 4}:${kind}`;
		test(`a graph that is refused is replaced by launches, and a warning says so: ${FAULT} on ${devices.length}`, (t) => {
			const right = run(t, scenario, {});
			const {status, stdout, stderr} = onSimulatedGpus({...few, FAULT}, 'test/cuda/graph-child.ts', [
				JSON.stringify(scenario),
			]);
			t.is(status, 0, stderr);
			const told = JSON.parse(stdout) as Told;
			t.deepEqual(told.events, right.events);
			t.is(told.warnings.length, 1);
			t.regex(told.warnings[0] ?? '', /^cuda:0 launches operations one by one instead of as a CUDA graph: /);
			t.is(told.bytes, 0);
		});
	}

	test(`a kernel that fails in a graph: that step rejects, those before are as they were, on ${devices.length}`, (t) => {
		const right = run(t, scenario, {});
		const {status, stdout, stderr} = onSimulatedGpus(
			{...few, FAULT: `maxPoolForwardKernel:5@${last}`},
			'test/cuda/graph-child.ts',
			[JSON.stringify(scenario)],
		);
		t.is(status, 0, stderr);
		const told = JSON.parse(stdout) as Told;
		t.deepEqual(told.events.slice(0, 4), right.events.slice(0, 4));
		t.is(told.events.length, 7, 'two steps and the digest fail');
		for (const event of told.events.slice(4) as {code: string; message: string}[]) {
			t.is(event.code, 'ALEXNET_OPERATION');
			t.true(event.message.includes(`cuda:${last}`), event.message);
		}
		t.is(told.bytes, 0);
	});
}

/** Calls that give the GPUs work: launches, of a kernel or a graph. */
const calls = (lists: Lists): string[][] =>
	[...lists.steps, ...lists.predictions].map((list) =>
		list.map((entry) => ('graph' in entry ? `graph of ${entry.graph}` : entry.name)),
	);

function listsOf(t: ExecutionContext, settings: Settings, ...args: string[]): string[][] {
	const folder = mkdtempSync(join(tmpdir(), 'alexnet-launches-'));
	try {
		const list = join(folder, 'list');
		const all = {PROFILE: '90', CHECKS: '0', ...settings, LAUNCHES: list};
		const {status, stdout, stderr} = onSimulatedGpus(all, 'test/cuda/step-launches-child.ts', [
			args[0]!,
			list,
			...args.slice(1),
		]);
		t.is(status, 0, stderr);
		return calls(JSON.parse(stdout) as Lists);
	} finally {
		rmSync(folder, {recursive: true});
	}
}

const sizeOf = (call: string): number => Number(/^graph of (\d+)$/.exec(call)?.[1] ?? 1);
const kernelsOf = (list: readonly string[]): number => list.reduce((sum, call) => sum + sizeOf(call), 0);

for (const precision of ['fp32', 'bf16']) {
	test(`the paper's net at batch 128, ${precision}, on one GPU: a step is three launches, a prediction one`, (t) => {
		const [with_, without] = [
			listsOf(t, {GPUS: '1'}, precision, 'cuda:0'),
			listsOf(t, {GPUS: '1', ALEXNET_GRAPH: '0'}, precision, 'cuda:0'),
		];
		t.deepEqual(with_.map(kernelsOf), without.map(kernelsOf), 'the same kernels');
		const [step, prediction] = [with_[4]!, with_.at(-1)!];
		t.deepEqual(
			step.map((call) => call.replace(/\d+$/, 'N')),
			['graph of N', 'graph of N', 'sgdKernel'],
		);
		t.is(prediction.length, 1);
		t.log(`${precision}: a step ${without[4]!.length}, now ${step.join(', ')}`);
		t.log(`${precision}: a prediction ${without.at(-1)!.length}, now ${prediction.join(', ')}`);
	});
}

test("the paper's net at batch 128, bf16, on two GPUs: the graphs between exchanges hold nearly all kernels", (t) => {
	const devices = ['bf16', 'cuda:0', 'cuda:1'] as const;
	const [with_, without] = [listsOf(t, {}, ...devices), listsOf(t, {ALEXNET_GRAPH: '0'}, ...devices)];
	t.deepEqual(with_.map(kernelsOf), without.map(kernelsOf), 'the same kernels');
	const step = with_[4]!;
	t.true(4 * step.length < without[4]!.length, step.join(', '));
	t.is(step.filter((call) => call === 'sgdKernel').length, 2);
	t.log(`both GPUs together: a step ${without[4]!.length}, now ${step.length}`);
	t.log(`a prediction ${without.at(-1)!.length}, now ${with_.at(-1)!.length}`);
});
