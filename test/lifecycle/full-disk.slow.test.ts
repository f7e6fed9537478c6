// A disk that fills up while a run saves: the last good checkpoint survives, and the run can be resumed.
import {spawnSync} from 'node:child_process';
import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {SafetensorsFile} from '../../lib/checkpoint/safetensors.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences, startSmallRun, writeSmallPictures} from '../helpers/small-runs.ts';

/** A file system in memory of this size, until the test ends. Undefined where this user may not mount one. */
async function smallDisk(t: ExecutionContext, folder: string, kilobytes: number): Promise<string | undefined> {
	const disk = join(folder, 'disk');
	await mkdir(disk);
	const {status, stderr} = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', disk]);
	if (status !== 0) {
		t.log(`Skipped: no file system can be mounted here (${stderr.toString().trim()}).`);
		t.pass();
		return undefined;
	}
	t.teardown(() => spawnSync('umount', [disk]));
	return disk;
}

test('a full disk ends the run with an error; with space again it goes on bit for bit', async (t) => {
	const folder = await temporaryFolder(t);
	// A checkpoint takes 145 KB: one fits, and no second beside it.
	const disk = await smallDisk(t, folder, 220);
	if (disk === undefined) return;
	const pictures = join(folder, 'pictures');
	await writeSmallPictures(pictures);
	const options = {epochs: 2, batchSize: 8, saveEverySteps: 1};
	const run = join(disk, 'run');
	const {code, stderr} = await startSmallRun(pictures, run, options).ended;
	t.is(code, 1);
	t.regex(
		stderr,
		/Could not write .*last\.safetensors: ENOSPC: .*free some space.* untouched\. \(ALEXNET_CHECKPOINT\)\n$/,
	);
	const names = ['config.json', 'filters.png', 'kernels.json', 'last.safetensors', 'metrics.jsonl'];
	t.deepEqual((await readdir(run)).sort(), names);
	const checkpoint = await SafetensorsFile.open(join(run, 'last.safetensors'));
	t.is(checkpoint.metadata.step, '1');
	await checkpoint.close();
	spawnSync('mount', ['-o', 'remount,size=2m', disk]);
	const resumed = await startSmallRun(pictures, run, {...options, resume: true}).ended;
	t.is(resumed.code, 0, resumed.stderr);
	const alone = join(folder, 'alone');
	await startSmallRun(pictures, alone, options).ended;
	t.deepEqual(await differences(alone, run), []);
});

test('a disk without room for reports is an error of the run folder', async (t) => {
	const folder = await temporaryFolder(t);
	const disk = await smallDisk(t, folder, 12);
	if (disk === undefined) return;
	const pictures = join(folder, 'pictures');
	await writeSmallPictures(pictures);
	const {code, stderr} = await startSmallRun(pictures, join(disk, 'run'), {epochs: 2, batchSize: 1}).ended;
	t.is(code, 1);
	t.regex(stderr, /The run folder .* cannot be used: ENOSPC: .* \(ALEXNET_RUN\)\n$/);
});
