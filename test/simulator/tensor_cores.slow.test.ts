// Tensor cores and copies that run beside the thread: what the instructions do, and what a kernel can do wrong with them.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from '../cuda/nvcc.ts';
import {root} from '../helpers/sources.ts';
import {lineOf} from './mutant.ts';
import {programOf, schedules, simulate} from './programs.ts';

const kernelFile = 'test/simulator/tensor_gemm.cuh';
const kernelText = readFileSync(join(root, kernelFile), 'utf8');
const forms = ['rows', 'deep'];
const roundings = [{}, {ALEXNET_SIMULATED_MMA: 'chopped'}];

let program: Promise<string> | undefined;
const gemm = (): Promise<string> => (program ??= programOf('tensor_gemm.cu'));

test('mma, ldmatrix and cp.async, whenever copies land, exact and chopped', async (t) => {
	t.timeout(300_000);
	const instructions = await programOf('tensor_cores.cu');
	for (const schedule of schedules) {
		for (const rounding of roundings) {
			const settings = {ALEXNET_SIMULATED_SCHEDULE: schedule, ...rounding};
			const {status, output, reports} = await simulate(instructions, [], settings);
			t.deepEqual(reports, []);
			t.deepEqual(output.trimEnd().split('\n'), [
				'mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32',
				'mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32',
				'ldmatrix.sync.aligned.m8n8.x1.shared.b16',
				'ldmatrix.sync.aligned.m8n8.x2.shared.b16',
				'ldmatrix.sync.aligned.m8n8.x4.shared.b16',
				'ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16',
				'ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16',
				'ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16',
				'cp.async of 4 bytes',
				'cp.async of 8 bytes',
				'cp.async of 16 bytes',
				'cp.async of up to 4 bytes',
				'cp.async of up to 8 bytes',
				'cp.async of up to 16 bytes',
				'cp.async with a predicate',
				'cp.async.commit_group and wait_group',
			]);
			t.is(status, 0);
		}
	}
});

test('a product on tensor cores without a mistake', async (t) => {
	t.timeout(300_000);
	for (const form of forms) {
		for (const settings of schedules.flatMap((schedule) =>
			roundings.map((rounding) => ({ALEXNET_SIMULATED_SCHEDULE: schedule, ...rounding})),
		)) {
			const outcome = await simulate(await gemm(), ['none', form], settings);
			t.deepEqual(outcome, {status: 0, output: 'right\n', reports: []}, `${form} ${JSON.stringify(settings)}`);
		}
	}
});

const copy = 'asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"';
// Of inline assembly in several lines the one with its inputs.
const load = ': "r"(row)';
const transposed = ': "r"(deepRow)';
const product = ': "r"(a[0]), "r"(a[1])';

const inFlight = (verb: string): string =>
	`${verb} shared memory at 0x[0-9a-f]+ that a copy of (its own|thread \\d+) is in flight to \\(cp.async\\)`;
const race = (verb: string, earlier: string): string =>
	`race: ${verb} shared memory at 0x[0-9a-f]+ that (thread \\d+|several threads|a thread of warp \\d+) ${earlier}, with no barrier`;
const together =
	'all lanes of a warp must run this instruction together \\(\\.aligned\\); lane \\d+ does not take part';
const outside = '16 bytes at 0x[0-9a-f]+ of shared memory are outside its variables';
const misaligned = 'misaligned: 16 bytes at 0x[0-9a-f]+ of shared memory';
const unwritten = 'reads shared memory at 0x[0-9a-f]+ that nobody wrote';

for (const {mistake, reports, lines} of [
	{mistake: 'waitsForTooLittle', reports: [inFlight('reads')], lines: [load, transposed]},
	{mistake: 'noBarrierAfterWait', reports: [race('reads', 'wrote'), inFlight('reads'), unwritten], lines: [load]},
	{mistake: 'copiesBeforeBarrier', reports: [race('writes', 'read')], lines: [copy]},
	{mistake: 'copiesIntoCurrentStage', reports: [inFlight('reads')], lines: [load]},
	{mistake: 'readsNextStage', reports: [inFlight('reads')], lines: [load]},
	{mistake: 'copiesTwice', reports: [inFlight('writes')], lines: [copy]},
	{mistake: 'storesOverCopy', reports: [inFlight('writes')], lines: ['*reinterpret_cast<volatile uint32_t*>']},
	{
		mistake: 'leavesCopiesBehind',
		reports: ['ends with \\d+ copies to shared memory in flight \\(cp.async\\) that it never waited for'],
		lines: ['}  // of gemmKernel'],
	},
	{mistake: 'misalignedRow', reports: [misaligned], lines: [load]},
	{mistake: 'rowBeyondEnd', reports: [outside], lines: [load]},
	{mistake: 'misalignedCopy', reports: [misaligned], lines: [copy]},
	{mistake: 'copyBeyondEnd', reports: [outside], lines: [copy]},
	{mistake: 'noZeroFill', reports: ['out of bounds: reads 16 bytes of global memory'], lines: [copy]},
	{mistake: 'misalignedSource', reports: ['misaligned: an access of 16 bytes at 0x[0-9a-f]+'], lines: [copy]},
	{mistake: 'sourceTooLong', reports: ['copies 16 bytes, of which it reads 32'], lines: [copy]},
	{mistake: 'skipsFirstStage', reports: [unwritten], lines: [load]},
	{mistake: 'stageNotWrapped', reports: [outside], lines: [copy]},
	{mistake: 'divergentProduct', reports: [together], lines: [product]},
	{mistake: 'divergentLoad', reports: [together], lines: [load]},
]) {
	test(`a product on tensor cores that a GPU may get wrong: ${mistake}`, async (t) => {
		const places = lines.map((line) => lineOf(kernelText, line)).join('|');
		for (const form of forms) {
			for (const schedule of schedules) {
				const settings = {ALEXNET_SIMULATED_SCHEDULE: schedule};
				const outcome = await simulate(await gemm(), [mistake, form], settings);
				const report = outcome.reports[0] ?? 'no report';
				t.regex(
					report,
					new RegExp(`^gemmKernel<.*> \\(${kernelFile}:(${places})\\b.*: (${reports.join('|')})`),
					schedule,
				);
				t.is(outcome.status, 1, schedule);
				t.true(outcome.output.includes('simulator: '), `${schedule}: the user sees ${outcome.output}`);
			}
		}
	});
}

for (const mistake of ['rowOffByOne', 'dropsLastPiece', 'swappedHalves']) {
	test(`a product on tensor cores that is wrong: ${mistake}`, async (t) => {
		for (const form of forms) {
			const outcome = await simulate(await gemm(), [mistake, form]);
			t.deepEqual(outcome, {status: 0, output: 'wrong\n', reports: []}, form);
		}
	});
}
