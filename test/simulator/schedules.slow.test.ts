// The kernels as they are: through the addon, nothing is reported, and no bit of a result depends on the order in which
// blocks, warps and streams run, on the run, or on what runs beside it.
import {test} from '../cuda/nvcc.ts';
import {requireBuild} from './build.ts';
import {runProgram, schedules} from './programs.ts';

const script = ['--import=tsx', 'test/simulator/results.ts'];

async function resultsUnder(schedule: string): Promise<{results: Map<string, string>; stderr: string}> {
	const settings = {ALEXNET_SIMULATED_GPUS: '1', ALEXNET_SIMULATED_SCHEDULE: schedule};
	const {status, stdout, stderr} = await runProgram(process.execPath, script, settings);
	if (status !== 0) throw new Error(`Under the schedule ${schedule}:\n${stdout}${stderr}`);
	const lines = stdout.trimEnd().split('\n');
	return {results: new Map(lines.map((line) => JSON.parse(line) as [string, string])), stderr};
}

test('every kind of kernel gives the same bits under every schedule and in every run', async (t) => {
	t.timeout(600_000);
	requireBuild();
	const runs: Awaited<ReturnType<typeof resultsUnder>>[] = [];
	const all = [...schedules, 'forward'];
	for (let i = 0; i < all.length; i += 2) runs.push(...(await Promise.all(all.slice(i, i + 2).map(resultsUnder))));
	for (const [index, {results, stderr}] of runs.entries()) {
		t.notRegex(stderr, /^simulator: /m);
		t.true(results.size > 15);
		t.deepEqual(results, runs[0]!.results, schedules[index] ?? 'forward once more');
	}
	const digests = [...runs[0]!.results.values()];
	t.is(new Set(digests).size, digests.length); // of different operations, different bits
});
