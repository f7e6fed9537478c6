// The host's side of cuda/ with a mistake: events, streams, staging memory, the current GPU, peer access.
import {test} from '../cuda/nvcc.ts';
import {mutantTests, type Mutant} from './mutant.ts';
import {operateWith, schedules, simulate} from './programs.ts';

const device = 'cuda/device.cc';
const event = 'cuda/runtime/event.cc';
const staging = 'cuda/runtime/staging.cc';
const recordsDone = '    static_cast<CudaEvent&>(*transfer.done).record(streams.exchange());\n';
const copies = '    if (otherGpu == owner_.gpu) {\n';

/** Of streams that nothing orders: whichever ran first, one of the two reports. */
const race = /race between streams: .* with no event that orders them/;
const peerRace = /race between streams: (cudaMemcpyPeerAsync on cuda:0|.* that cudaMemcpyPeerAsync on cuda:0) /;
const unwritten = /that nobody wrote/;
const either = (...reports: readonly RegExp[]): RegExp => new RegExp(reports.map(({source}) => source).join('|'));

const exchanges: readonly Mutant[] = [
	{
		what: 'a copy that does not wait until its source is final',
		edits: [{file: device, from: '{transfer.ready, transfer.free}', to: '{transfer.free}'}],
		scenario: 'exchange',
		report: either(peerRace, /^cudaMemcpyPeerAsync on cuda:0 reads memory of cuda:0 that nobody wrote/),
	},
	{
		what: 'a copy that does not wait until nobody reads its destination',
		edits: [{file: device, from: '{transfer.ready, transfer.free}', to: '{transfer.ready}'}],
		scenario: 'exchange',
		report: peerRace,
	},
	{
		what: 'a copy whose end is announced and not recorded',
		edits: [{file: device, from: recordsDone, to: '    transfer.done->announce(true);\n'}],
		scenario: 'exchange',
		report: either(peerRace, /^addKernel<.* on cuda:1, .* that nobody wrote/),
	},
	{
		what: 'an event that is recorded before the copy, not after it',
		edits: [
			{file: device, from: recordsDone, to: ''},
			{file: device, from: copies, to: recordsDone + copies},
		],
		scenario: 'exchange',
		report: either(peerRace, /^addKernel<.* on cuda:1, .* that nobody wrote/),
	},
	{
		what: 'events that no stream waits for',
		edits: [{file: event, from: '  check(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent");\n', to: ''}],
		scenario: 'exchange',
		report: either(race, unwritten),
	},
	{
		what: 'waiting before recording',
		edits: [
			{
				file: event,
				from: '#include "release.h"\n',
				to:
					'#include "release.h"\n#include <map>\nstatic std::mutex guard;\n' +
					'static std::map<const void*, cudaStream_t> late;\n',
			},
			{
				file: event,
				from: 'check(cudaEventRecord(event_, stream), "cudaEventRecord");',
				to: '{\n    const std::lock_guard<std::mutex> lock(guard);\n    late[this] = stream;\n  }',
			},
			{
				file: event,
				from: 'check(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent");\n',
				to:
					'check(cudaStreamWaitEvent(stream, event_, 0), "");\n  const std::lock_guard<std::mutex> lock(guard);\n' +
					'  check(cudaEventRecord(event_, late[this]), "");\n',
			},
		],
		scenario: 'exchange',
		report: either(race, unwritten),
	},
	{
		what: 'a copy that names the wrong GPUs',
		edits: [{file: device, from: 'destination, otherGpu, transfer', to: 'destination, owner_.gpu, transfer'}],
		scenario: 'exchange',
		report: /^cudaMemcpyPeerAsync on cuda:0 does not say what it copies: from cuda:0 to cuda:1$/,
	},
	{
		what: 'a launch while the other GPU is the current one',
		edits: [{file: device, from: '  context_->select();\n', to: ''}],
		scenario: 'exchange',
		report: /^addKernel<.*> cannot be launched on a stream of cuda:\d: cuda:\d is the current device$/,
	},
	{
		what: "the other GPU's memory without peer access",
		edits: [
			{file: 'cuda/runtime/peers.cc', from: '  if (isLost(one) ||', to: '  if (true || isLost(one) ||'},
			{
				file: 'cuda/runtime/memory.cc',
				from: '"cudaSetDevice");\n  void* address = nullptr;',
				to: '"cudaSetDevice");\n  check(cudaSetDevice(1 - owner.gpu), "cudaSetDevice");\n  void* address = nullptr;',
			},
		],
		scenario: 'relu',
		report:
			/^activateForwardKernel<.*vector\.cuh:\d+ .*on cuda:0, .* (reads|writes) memory of cuda:1 on cuda:0 without peer access/,
	},
];

const copyRace = /race between streams: (cudaMemcpyAsync on cuda:0|.* that cudaMemcpyAsync on cuda:0) /;
const recordsWritten = '  static_cast<CudaEvent&>(done).record(uploads);\n';
const uploads = '  uploadOn(uploads, destination, source);\n';

const transfers: readonly Mutant[] = [
	{
		what: 'staging memory that is filled again before its copy has run',
		edits: [{file: staging, from: '    wait(half);\n    for (size_t begin', to: '    for (size_t begin'}],
		scenario: 'uploads',
		report: /^cudaMemcpyAsync on cuda:0: the host buffer was changed before the copy had run$/,
	},
	{
		what: 'a batch that comes while the one before is read',
		edits: [{file: device, from: '    if (after) makeWait(uploads, *after);\n', to: ''}],
		scenario: 'batches',
		report: copyRace,
	},
	{
		what: 'a batch whose arrival is announced and not recorded',
		edits: [{file: device, from: recordsWritten, to: '  done.announce(true);\n'}],
		scenario: 'batches',
		report: either(copyRace, /^addKernel<.* on cuda:0, .* that nobody wrote/),
	},
	{
		what: 'a batch whose arrival is recorded before the copy, not after it',
		edits: [{file: device, from: uploads + recordsWritten, to: recordsWritten + uploads}],
		scenario: 'batches',
		report: either(copyRace, /^addKernel<.* on cuda:0, .* that nobody wrote/),
	},
];

const freed = /reads memory|writes memory|out of bounds|in \d+ bytes of cuda:0 that were freed/;
const releases: readonly Mutant[] = [
	{
		what: 'scratch memory that is given back while an operation uses it',
		edits: [
			{file: 'cuda/gpu_context.cc', from: '    streams_->finish(stream());  // operations still use it\n', to: ''},
		],
		scenario: 'growth',
		report: freed,
	},
	{
		what: 'tensors that are given back while operations use them',
		edits: [{file: 'cuda/runtime/release.cc', from: '    Streams::finishAll();\n', to: ''}],
		scenario: 'passing tensors',
		report: freed,
	},
];

mutantTests([...exchanges, ...transfers, ...releases], schedules);

test('a download that is read before its copy has run', async (t) => {
	t.timeout(300_000);
	const {program} = await operateWith([
		{
			file: staging,
			from: '    wait(half);\n    const size_t piece = std::min(capacity_, bytes - emptied);',
			to: '    const size_t piece = std::min(capacity_, bytes - emptied);',
		},
	]);
	for (const schedule of schedules) {
		const {output} = await simulate(program, ['relu'], {ALEXNET_SIMULATED_SCHEDULE: schedule});
		t.is(output, 'wrong\n', schedule); // the buffer is full of 0xff, so the program sees it by itself
	}
});

test('a read into host memory that is used before its copy has run', async (t) => {
	t.timeout(300_000);
	const {program} = await operateWith([{file: device, from: '    ended->wait(context.streams());\n', to: ''}]);
	for (const schedule of schedules) {
		const {output} = await simulate(program, ['batches'], {ALEXNET_SIMULATED_SCHEDULE: schedule});
		t.true(output.includes('wrong\n'), schedule);
	}
});

const scenarios = [
	'lrn',
	'relu',
	'relu, misaligned',
	'conv2d',
	'conv2d, misaligned',
	'conv1',
	'conv1 backward',
	'linear',
	'bias gradient',
	'softmax',
	'softmax loss',
	'uploads',
	'batches',
	'growth',
	'passing tensors',
	'exchange',
];

test('without a mistake nothing is reported, and results are the same bits in any order, with and without peers', async (t) => {
	t.timeout(300_000);
	const {program} = await operateWith([]);
	for (const scenario of scenarios) {
		const outputs = new Set<string>();
		for (const schedule of schedules) {
			const settings = {
				ALEXNET_SIMULATED_SCHEDULE: schedule,
				ALEXNET_SIMULATED_PEERS: schedule === 'reverse' ? '0' : '1',
			};
			const {status, output, reports} = await simulate(program, [scenario], settings);
			t.deepEqual(reports, [], `${scenario}, ${schedule}`);
			t.is(status, 0, output);
			t.notRegex(output, /wrong/);
			outputs.add(output);
		}
		t.is(outputs.size, 1, scenario);
	}
});
