// Signals at a run: what is left, and how it goes on.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {RunFolder} from '../../lib/run-folder.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences, reportsOf, startSmallRun, writeSmallPictures} from '../helpers/small-runs.ts';

const options = {epochs: 3, batchSize: 8};

for (const [signal, expected] of [
	['SIGINT', 130],
	['SIGTERM', 143],
] as const) {
	test(`${signal} ends a run with a checkpoint from which it goes on bit for bit`, async (t) => {
		const folder = await temporaryFolder(t);
		const [pictures, run, alone] = ['pictures', 'run', 'alone'].map((name) => join(folder, name)) as [
			string,
			string,
			string,
		];
		await writeSmallPictures(pictures);
		const started = startSmallRun(pictures, run, options);
		await started.begun;
		while ((await reportsOf(run)).length < 3) await setTimeout(2);
		started.child.kill('SIGSTOP');
		const intruder = await startSmallRun(pictures, run, {...options, resume: true}).ended;
		t.is(intruder.code, 1);
		t.regex(intruder.stderr, /still under way.*metrics\.jsonl.*Ctrl-C/);
		started.child.kill('SIGCONT');
		started.child.kill(signal);
		const {code, stderr} = await started.ended;
		t.is(code, expected, stderr);
		t.regex(stderr, /Stopped after step \d+\. The net is in .*last\.safetensors/);
		const resumed = await startSmallRun(pictures, run, {...options, resume: true}).ended;
		t.is(resumed.code, 0, resumed.stderr);
		t.regex(resumed.stderr, /Going on after step \d+/);
		await startSmallRun(pictures, alone, options).ended;
		t.deepEqual(await differences(alone, run), []);
	});
}

test('a process that ends while it writes, as at a second Ctrl-C, leaves the old file and nothing else', async (t) => {
	const folder = await temporaryFolder(t);
	const path = join(folder, 'last.safetensors');
	await writeFile(path, 'old');
	const module = fileURLToPath(new URL('../../lib/files.ts', import.meta.url));
	const program = `
		import {existsSync, writeFileSync} from 'node:fs';
		import {replaceFile} from ${JSON.stringify(module)};
		await replaceFile(${JSON.stringify(path)}, async (temporary) => {
			writeFileSync(temporary, 'half of the ne');
			process.exit(existsSync(temporary) ? 130 : 1);
		});`;
	const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '--eval', program], {stdio: 'inherit'});
	t.deepEqual(await once(child, 'exit'), [130, null]);
	t.deepEqual(await readdir(folder), ['last.safetensors']);
	t.is(await readFile(path, 'utf8'), 'old');
});

test('a run folder below one that takes none is refused, not waited for', async (t) => {
	await t.throwsAsync(RunFolder.create('/proc/alexnet/run', {}), {code: 'ALEXNET_RUN', message: /cannot be used/});
});

test('a run that is under way is refused to others, until it is closed', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const run = await RunFolder.create(path, {seed: 1});
	await t.throwsAsync(RunFolder.create(path, {seed: 2}), {code: 'ALEXNET_RUN', message: /still under way/});
	t.deepEqual((await RunFolder.read(path)).config, {seed: 1});
	await run.close();
	await (await RunFolder.create(path, {seed: 2})).close();
	t.deepEqual((await RunFolder.read(path)).config, {seed: 2});
});

test('a folder without a run cannot be resumed', async (t) => {
	const folder = await temporaryFolder(t);
	await t.throwsAsync(RunFolder.read(folder), {code: 'ALEXNET_RUN', message: /holds no run to resume.*--out/});
});
