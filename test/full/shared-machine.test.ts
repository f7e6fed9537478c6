// How much of its speed a net keeps where others need the processor too, and where more cores are shown than there are.
// On a machine where nothing else runs; both sides of a comparison are measured in turn, as a machine's speed drifts.
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import test from 'ava';
import {samplesOf} from '../../benchmarks/run.ts';
import type {SharedRow} from '../../benchmarks/shared-machine.ts';
import {listDevices} from '../../lib/index.ts';
import {alexnet} from '../helpers/command.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {root} from '../helpers/sources.ts';

test.serial('beside busy processes a picture and a step keep at least 45 % of their speed', async (t) => {
	const {code, stdout, stderr} = await alexnet(['bench', 'shared-machine', '--json']);
	t.is(code, 0, stderr);
	const rows = JSON.parse(stdout) as SharedRow[];
	t.deepEqual(
		rows.map(({trial, batchSize}) => [trial, batchSize]),
		[
			['inference', 1],
			['train-step', 128],
		],
	);
	for (const {trial, neighbours, aloneMs, besideMs, speedKept} of rows) {
		t.true(Number.isInteger(neighbours) && neighbours >= 1, trial);
		t.true(aloneMs > 0 && besideMs > 0, trial);
		t.is(speedKept, aloneMs / besideMs, trial);
		t.true(speedKept >= 0.45, `${trial}: ${speedKept}`);
	}
});

test.serial('where eight times as many cores are shown as there are, a step keeps 85 % of its speed', async (t) => {
	const library = join(await temporaryFolder(t), 'shown_cores.so');
	const here = listDevices()[0]?.threads ?? 1;
	const flags = ['-shared', '-fPIC', `-DSHOWN=${8 * here}`];
	execFileSync(process.env.CC ?? 'cc', [...flags, 'test/full/shown_cores.c', '-ldl', '-o', library], {cwd: root});
	const {stdout} = await alexnet(['devices', '--json'], {environment: {LD_PRELOAD: library}});
	const [cpu] = (JSON.parse(stdout) as {devices: {threads: number}[]}).devices;
	t.is(cpu?.threads, 8 * here);
	t.teardown(() => delete process.env.LD_PRELOAD);
	/** In a process of its own. */
	const steps = async (preload: string): Promise<number> => {
		process.env.LD_PRELOAD = preload;
		const options = {devices: ['cpu'], precision: 'fp32', batchSize: 64, repetitions: 3} as const;
		const {milliseconds} = await samplesOf('train-step', options);
		return milliseconds.reduce((sum, each) => sum + each, 0);
	};
	let [real, more] = [0, 0];
	for (let turn = 0; turn < 3; ++turn) {
		real += await steps('');
		more += await steps(library);
	}
	t.log(`${((100 * real) / more).toFixed(0)} %`);
	t.true(real / more >= 0.85, `${real} ms, ${more} ms with more cores shown`);
});
