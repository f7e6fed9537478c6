// Two simulated devices that exchange tensors: right with all events, reported without any one of them.
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {scratchFolder, test} from '../cuda/nvcc.ts';
import {buildSimulator, compile, simulate} from './programs.ts';

const folder = scratchFolder();
const program = join(folder, 'exchange');
anyTest.after.always(() => rmSync(folder, {recursive: true}));

test('the program builds', (t) => {
	t.timeout(600_000);
	buildSimulator();
	t.notThrows(() => compile(program, 'test/simulator/exchange.cu'));
});

const schedules = ['forward', 'reverse', 'random:1', 'random:2', 'random:3'];

test('with every event the result is right in any order, with and without peer access', (t) => {
	for (const schedule of schedules) {
		for (const peers of ['0', '1']) {
			const settings = {ALEXNET_SIMULATED_SCHEDULE: schedule, ALEXNET_SIMULATED_PEERS: peers};
			const {output, reports} = simulate(program, ['nothing'], settings);
			t.deepEqual(reports, [], schedule);
			const [status, ...values] = output.trimEnd().split('\n');
			t.is(status, 'cudaSuccess');
			t.deepEqual(
				values.map(Number),
				Array.from({length: 4096}, (_, i) => i + 2),
			);
		}
	}
});

const mistakes: readonly {without: string; report: RegExp}[] = [
	{
		without: 'ready',
		report:
			/cudaMemcpyPeerAsync.* (race between streams|that nobody wrote)|race between streams: .*cudaMemcpyPeerAsync/,
	},
	{without: 'arrived', report: /race between streams: .*cudaMemcpyPeerAsync|addKernel.* that nobody wrote/},
	{without: 'consumed', report: /race between streams: .*cudaMemcpyPeerAsync/},
	{without: 'the order of record and wait', report: /race between streams|addKernel.* that nobody wrote/},
	{
		without: "the source's address",
		report: /addKernel .*exchange\.cu:\d+\) on cuda:1, .* reads memory of cuda:0 on cuda:1 without peer access/,
	},
	{
		without: 'the wait for the upload',
		report: /cudaMemcpyAsync on cuda:0: the host buffer was changed before the copy had run/,
	},
];
for (const {without, report} of mistakes) {
	test(`without ${without} there is a report in any order`, (t) => {
		for (const schedule of schedules) {
			const {output, reports} = simulate(program, [without], {ALEXNET_SIMULATED_SCHEDULE: schedule});
			t.regex(reports[0] ?? '', report, schedule);
			t.notRegex(output, /^cudaSuccess/);
		}
	});
}
