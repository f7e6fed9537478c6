// What blocks of one launch do to each other's global memory.
import {test} from '../cuda/nvcc.ts';
import {programOf, schedules, simulate} from './programs.ts';
import {mutantTests, type Mutant} from './mutant.ts';

let program: Promise<string> | undefined;
const blocks = (): Promise<string> => (program ??= programOf('blocks.cu'));
const right = String((1024 * 1025) / 2);

for (const variant of ['last block', 'atomics']) {
	test(`a sum over blocks that is in order: ${variant}`, async (t) => {
		for (const schedule of schedules) {
			const outcome = await simulate(await blocks(), [variant], {ALEXNET_SIMULATED_SCHEDULE: schedule});
			t.deepEqual(outcome, {status: 0, output: `${right}\n`, reports: []}, schedule);
		}
	});
}

const unordered = (verb: string): RegExp =>
	new RegExp(
		`: race between blocks: ${verb} global memory at \\d+ of \\d+ that block \\(\\d+, \\d+, 0\\) of the same launch wrote`,
	);

for (const {variant, kernel, report} of [
	{variant: 'no fence before', kernel: 'lastBlockKernel<', report: unordered('reads')},
	{variant: 'no fence after', kernel: 'lastBlockKernel<', report: unordered('reads')},
	{variant: 'fence of a block', kernel: 'lastBlockKernel<', report: unordered('reads')},
	{variant: 'every block', kernel: 'everyBlockKernel', report: unordered('reads')},
	{variant: 'read-only', kernel: 'lastBlockKernel<', report: /as read-only \(ld\.global\.nc\), though the same launch/},
]) {
	test(`a sum over blocks that a GPU may get wrong: ${variant}`, async (t) => {
		for (const schedule of schedules) {
			const settings = {ALEXNET_SIMULATED_SCHEDULE: schedule};
			const {status, output, reports} = await simulate(await blocks(), [variant], settings);
			t.true(reports[0]?.startsWith(kernel), `${schedule}: ${reports[0]}`);
			t.regex(reports[0] ?? '', report, schedule);
			t.is(status, 1, schedule);
			t.true(output.includes('simulator: '), `${schedule}: the user sees ${output}`);
		}
	});
}

const mutants: readonly Mutant[] = [
	{
		what: 'two blocks that write the same words',
		edits: [{file: 'cuda/kernels/softmax.cu', from: 'rows[blockIdx.x] = {', to: 'rows[blockIdx.x / 2] = {'}],
		scenario: 'softmax loss',
		report: unordered('writes'),
		at: {kernel: 'softmaxLossKernel<float>', file: 'cuda/kernels/softmax.cu', lines: ['rows[blockIdx.x / 2] = {']},
	},
	{
		what: 'strips of a sum that overlap by a column',
		edits: [
			{
				file: 'cuda/gemm/reduce.cu',
				from: 'static_cast<int64_t>(blockIdx.y) * 32 + lane;',
				to: 'static_cast<int64_t>(blockIdx.y) * 31 + lane;',
			},
		],
		scenario: 'bias gradient',
		report: unordered('writes'),
		at: {kernel: 'sumRowsKernel<float>', file: 'cuda/gemm/reduce.cu', lines: ['* columns + column] = sum;']},
	},
];

mutantTests(mutants, ['forward', 'reverse', 'random:1']);
