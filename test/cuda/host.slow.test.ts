// What the host's side of cuda/ does beside errors: peers, scratch memory, devices at the same time. On simulated GPUs,
// whose trace says what was asked of them.
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type ExecutionContext} from 'ava';
import {requireBuild} from '../simulator/build.ts';
import type {Outcome} from './failing-child.ts';
import {markBytes} from './marks.ts';
import {nvcc, test} from './nvcc.ts';
import {onSimulatedGpus, type Settings} from './simulated.ts';

const folder = mkdtempSync(join(tmpdir(), 'alexnet-host-'));
anyTest.before(() => {
	if (nvcc !== undefined) requireBuild();
});
anyTest.after.always(() => rmSync(folder, {recursive: true}));

/** Runs a scenario of failing-child.ts; what it came to, and the trace. */
function traced(
	t: ExecutionContext,
	settings: Settings,
	...scenario: string[]
): {outcomes: Outcome[]; trace: string[]} {
	const TRACE = join(folder, 'trace');
	const {status, stdout, stderr} = onSimulatedGpus({...settings, TRACE}, 'test/cuda/failing-child.ts', scenario);
	t.is(status, 0, stderr);
	t.is(stderr, '');
	return {outcomes: JSON.parse(stdout) as Outcome[], trace: readFileSync(TRACE, 'utf8').trimEnd().split('\n')};
}

const opening = /^(lets in|keeps out)/;
const copy = /^runs cuda:0 \d+ (cudaMemcpy(Peer)?Async)/;
const named = (trace: readonly string[], pattern: RegExp, group: number): string[] =>
	trace.flatMap((line) => pattern.exec(line)?.[group] ?? []);

test('two GPUs let each other in when the second is opened, before any work', (t) => {
	const {outcomes, trace} = traced(t, {}, 'copy', 'cuda:0', 'cuda:1');
	t.deepEqual(outcomes, [{result: [7, 7, 7, 7]}, {result: []}]);
	const openings = trace.filter((line) => opening.test(line));
	t.deepEqual(openings, ['lets in: cuda:1 reaches cuda:0', 'lets in: cuda:0 reaches cuda:1']);
	t.true(trace.findLastIndex((line) => opening.test(line)) < trace.findIndex((line) => line.startsWith('queued')));
	t.deepEqual(named(trace, copy, 1), ['cudaMemcpyPeerAsync']);
});

test('where peer access fails, neither GPU is let in, copies go through the host, and a note says why', (t) => {
	const {outcomes, trace} = traced(t, {PEERS: 'one-way'}, 'copy', 'cuda:0', 'cuda:1');
	const note =
		'Copies between cuda:0 and cuda:1 go through the host, which is slower: peer access failed with peer mapping ' +
		'resources exhausted (cudaErrorTooManyPeers). ALEXNET_PEER=0 keeps it from being tried.';
	t.deepEqual(outcomes, [{result: [7, 7, 7, 7]}, {result: [note]}]);
	const openings = trace.filter((line) => opening.test(line));
	t.deepEqual(openings, ['lets in: cuda:1 reaches cuda:0', 'keeps out: cuda:1 reaches cuda:0 no more']);
	for (const command of ['devices', 'doctor']) {
		const {stdout} = onSimulatedGpus({PEERS: 'one-way'}, 'cli/main.ts', [command]);
		t.is(stdout.split(note).length, 2, command);
	}
	const {status, stdout, stderr} = onSimulatedGpus({PEERS: 'one-way'}, 'test/cuda/failing-child.ts', ['train']);
	t.is(status, 0);
	t.true(stdout.includes('"result":true'), stdout);
	t.is(stderr.split(`AlexNetWarning: ${note}`).length, 2, stderr);
});

test('ALEXNET_PEER=0: peer access is not tried, nor told of', (t) => {
	const {outcomes, trace} = traced(t, {PEERS: 'one-way', ALEXNET_PEER: '0'}, 'copy', 'cuda:0', 'cuda:1');
	t.deepEqual(outcomes, [{result: [7, 7, 7, 7]}, {result: []}]);
	t.deepEqual(
		trace.filter((line) => opening.test(line)),
		[],
	);
	const {stdout} = onSimulatedGpus({ALEXNET_PEER: '0'}, 'cli/main.ts', ['devices', '--json']);
	const {devices} = JSON.parse(stdout) as {devices: {kind: string; peers?: string[]}[]};
	t.deepEqual(
		devices.flatMap(({peers}) => (peers === undefined ? [] : [peers])),
		[[], []],
	);
});

test('a copy between two devices of one GPU is a copy within it', (t) => {
	const {outcomes, trace} = traced(t, {}, 'copy', 'cuda:0', 'cuda:0');
	t.deepEqual(outcomes[0], {result: [7, 7, 7, 7]});
	t.false(trace.some((line) => line.includes('cudaMemcpyPeerAsync')));
});

test('scratch memory that grows is given back before more is taken', (t) => {
	const sizes = [300_000, 900_000, 600_000, 2_000_000];
	const {outcomes, trace} = traced(t, {}, 'scratch', ...sizes.map(String));
	t.deepEqual(outcomes, [{}]);
	const held = named(trace, /^cuda:0 takes \d+ bytes, (\d+) held$/, 1).map(Number);
	const largest = 4 * Math.max(...sizes);
	t.is(Math.max(...held), largest + 4 + largest, 'the tensor, and the largest scratch memory');
	t.is(held.length, 1 + 3, 'the third fits in what the second took');
});

test('two models on two GPUs work at the same time', (t) => {
	const {outcomes, trace} = traced(t, {}, 'overlap');
	t.is(outcomes.length, 4);
	for (const {result} of outcomes) t.true(Number.isFinite(result));
	// While somebody waits for one GPU, work of the other is launched, and runs.
	let waiting = new Set<string>();
	const seen = new Set<string>();
	for (const line of trace) {
		const [what = '', gpu = ''] = line.split(' ');
		if (what === 'waits') waiting.add(gpu);
		if (what === 'waited') waiting = new Set([...waiting].filter((other) => other !== gpu));
		if ((what === 'queued' || what === 'runs') && [...waiting].some((other) => other !== gpu))
			seen.add(`${what} ${gpu}`);
	}
	t.true(seen.has('queued cuda:0') || seen.has('queued cuda:1'), [...seen].join(', '));
});

for (const devices of [['cuda:0'], ['cuda:0', 'cuda:1']]) {
	test(`a batch comes while ${devices.join(' and ')} work at the one before, in no order with that`, (t) => {
		// Of what nothing orders, this schedule runs first what was queued last.
		const {outcomes, trace} = traced(t, {SCHEDULE: 'reverse'}, 'ahead', ...devices);
		t.deepEqual(outcomes, [{result: 4}, {result: 0}]);
		const places = (pattern: RegExp): number[] => trace.flatMap((line, index) => (pattern.test(line) ? [index] : []));
		for (const device of devices) {
			const first = places(new RegExp(`^queued ${device} \\d+ augmentKernel`))[0]!;
			const copies = new RegExp(`^queued (${device} \\d+) cudaMemcpyAsync`);
			const uploads = trace
				.slice(0, first)
				.flatMap((line) => copies.exec(line)?.[1] ?? [])
				.at(-1)!;
			// Views, pictures and, on the first device, labels: the pictures are the last.
			const perStep = device === devices[0] ? 3 : 2;
			const pictures = (what: string): number[] =>
				places(new RegExp(`^${what} ${uploads} cudaMemcpyAsync`)).filter((_, index) => index % perStep === perStep - 1);
			const [queued, ran] = [pictures('queued'), pictures('runs')];
			const updates = places(new RegExp(`^runs ${device} \\d+ sgdKernel`));
			const reports = [1, 2, 3, 4].flatMap((step) => places(new RegExp(`^cuda:0 takes ${markBytes + step} bytes`)));
			t.deepEqual(
				[queued, ran, updates, reports].map(({length}) => length),
				[4, 4, 4, 4],
			);
			for (let step = 1; step < 4; step++) {
				t.true(
					queued[step]! < reports[step - 1]!,
					`${device}: batch ${step} is queued before the report of the step before`,
				);
				t.true(ran[step]! < updates[step - 1]!, `${device}: batch ${step} does not wait for the step before`);
			}
		}
	});
}
