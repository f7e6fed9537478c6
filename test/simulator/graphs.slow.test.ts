// Graphs of two GPUs' work: captured, replayed in every order that their edges allow, and refused as CUDA refuses them.
import {test} from '../cuda/nvcc.ts';
import {programOf, schedules, simulate} from './programs.ts';

let program: Promise<string> | undefined;
const graphs = (): Promise<string> => (program ??= programOf('graphs.cu'));

for (const variant of ['right', 'another thread allocates', 'changes arguments']) {
	test(`a graph that is replayed: ${variant}`, async (t) => {
		t.timeout(300_000);
		for (const schedule of schedules) {
			const outcome = await simulate(await graphs(), [variant], {ALEXNET_SIMULATED_SCHEDULE: schedule});
			t.deepEqual(outcome, {status: 0, output: 'right\n', reports: []}, schedule);
		}
	});
}

const race = 'race between streams: ';
const unwritten = 'that nobody wrote';

for (const {variant, report} of [
	{variant: 'copies too early', report: new RegExp(`${race}|${unwritten}`)},
	{variant: 'adds too early', report: new RegExp(`${race}|${unwritten}`)},
	{variant: 'another stream writes', report: new RegExp(`${race}|${unwritten}`)},
	{variant: 'another stream reads', report: new RegExp(`${race}|${unwritten}`)},
	{variant: 'frees memory', report: /^squareKernel .*in 1024 bytes of cuda:0 that were freed/},
]) {
	test(`a graph that a GPU may get wrong: ${variant}`, async (t) => {
		for (const schedule of schedules) {
			const settings = {ALEXNET_SIMULATED_SCHEDULE: schedule};
			const {status, output, reports} = await simulate(await graphs(), [variant], settings);
			t.regex(reports[0] ?? 'no report', report, schedule);
			t.is(status, 1, schedule);
			t.true(output.includes('simulator: '), `${schedule}: the user sees ${output}`);
		}
	});
}

for (const {variant, error, report} of [
	{
		variant: 'does not join',
		error: 'cudaErrorStreamCaptureUnjoined',
		report: "before the capture's streams have joined again: 2 of 5 nodes are not ordered before its end",
	},
	{variant: 'allocates', error: 'cudaErrorStreamCaptureUnsupported', report: 'cudaMalloc while a stream is captured'},
	{
		variant: 'another thread allocates beside a global capture',
		error: 'cudaErrorStreamCaptureUnsupported',
		report: 'cudaMalloc while a stream is captured',
	},
	{
		variant: 'another thread ends it',
		error: 'cudaErrorStreamCaptureWrongThread',
		report: 'cudaStreamEndCapture by another thread than began it',
	},
	{
		variant: 'the default stream waits',
		error: 'cudaErrorStreamCaptureImplicit',
		report: 'cudaStreamWaitEvent by the default stream of an event of a capture',
	},
	{variant: 'merges captures', error: 'cudaErrorStreamCaptureMerge', report: "another capture's event"},
	{
		variant: 'synchronizes',
		error: 'cudaErrorStreamCaptureUnsupported',
		report: 'cudaStreamSynchronize of what is captured',
	},
	{
		variant: 'asks for an event',
		error: 'cudaErrorStreamCaptureUnsupported',
		report: 'cudaEventQuery while a stream is captured',
	},
	{
		variant: 'asks for its event',
		error: 'cudaErrorStreamCaptureUnsupported',
		report: 'cudaEventQuery of what is captured',
	},
	{
		variant: 'waits for an event of before',
		error: 'cudaErrorStreamCaptureIsolation',
		report: 'cudaStreamWaitEvent of an event that was not recorded in the capture',
	},
	{
		variant: 'copies to the host',
		error: 'cudaErrorNotSupported',
		report: 'cudaMemcpyAsync on cuda:0 from or to the host in a capture',
	},
	{variant: 'begins twice', error: 'cudaErrorIllegalState', report: 'which is captured already'},
	{
		variant: 'ends on another stream',
		error: 'cudaErrorStreamCaptureUnmatched',
		report: 'cudaStreamEndCapture of a stream that has joined the capture',
	},
	{
		variant: 'waits for an event of the capture',
		error: 'cudaErrorCapturedEvent',
		report: 'an event that was last recorded in a capture, which has ended',
	},
	{
		variant: 'changes a copy',
		error: 'cudaErrorInvalidValue',
		report: 'cudaGraphExecKernelNodeSetParams of a node that is no launch of a kernel',
	},
	{
		variant: 'changes a node of another graph',
		error: 'cudaErrorInvalidValue',
		report: 'cudaGraphExecKernelNodeSetParams with a node of another graph',
	},
	{
		variant: 'changes a node of a graph that is gone',
		error: 'cudaErrorInvalidValue',
		report: 'cudaGraphExecKernelNodeSetParams with a node of a graph that was destroyed',
	},
]) {
	test(`a capture or its graph that is refused: ${variant}`, async (t) => {
		const {status, output, reports} = await simulate(await graphs(), [variant]);
		t.true(reports[0]?.includes(report), reports[0] ?? 'no report');
		t.is(reports.length, 1);
		t.true(output.startsWith(`${error}: simulator: `), output);
		t.is(status, 1);
	});
}

test('a capture that was broken off ends with an error, takes nothing until then, and leaves its streams usable', async (t) => {
	const {status, output, reports} = await simulate(await graphs(), ['goes on after an error']);
	t.true(output.startsWith('cudaErrorStreamCaptureInvalidated: '), output);
	t.is(status, 1);
	t.is(reports.length, 3);
});
