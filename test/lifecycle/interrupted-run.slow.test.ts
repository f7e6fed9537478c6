// Signals at a run: what is left, and how it goes on.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {AlexNet, type StepReport} from '../../lib/index.ts';
import {RunFolder} from '../../lib/run/run-folder.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences, reportsOf, startSmallRun, writeSmallPictures} from '../helpers/small-runs.ts';

const options = {epochs: 3, batchSize: 8};

for (const [signal, expected] of [
	['SIGINT', 130],
	['SIGTERM', 143],
	['SIGHUP', 129],
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
	const module = fileURLToPath(new URL('../../lib/base/files.ts', import.meta.url));
	const program = `
		import {existsSync, writeFileSync} from 'node:fs';
		import {replaceFile} from ${JSON.stringify(module)};
		const written = [];
		const write = async (temporary) => {
			writeFileSync(temporary, 'half of the ne');
			if (written.push(temporary) === 3) process.exit(written.every(existsSync) ? 130 : 1);
			await new Promise(() => {});
		};
		await Promise.all([1, 2, 3].map(() => replaceFile(${JSON.stringify(path)}, write)));`;
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

/** A model as far as resuming asks: no epoch has ended at this step. */
const at = (step: number): AlexNet => Object.assign(Object.create(AlexNet.prototype) as AlexNet, {step});
const stepReport = (step: number): StepReport => ({
	...{type: 'step', epoch: 1, step, stepOfEpoch: step, stepsPerEpoch: 9},
	...{loss: 1, top1: 0, top5: 0, learningRate: 0.1, imagesPerSecond: 1, diverged: false},
});

test('time goes on from the last report that a resumed run keeps', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const run = await RunFolder.create(path, {});
	const first = await run.record(stepReport(1));
	const second = await run.record(stepReport(2));
	await run.close();
	t.true(first.elapsedSeconds > 0 && second.elapsedSeconds > first.elapsedSeconds);
	const file = run.file('metrics');
	const lost = JSON.stringify({...stepReport(3), elapsedSeconds: 2000});
	const kept = JSON.stringify({...stepReport(2), elapsedSeconds: 1000});
	await writeFile(file, `${kept}\n${lost}\n`);
	const resumed = await RunFolder.resume(path, {}, at(2));
	const third = await resumed.record(stepReport(3));
	await resumed.close();
	t.true(third.elapsedSeconds > 1000 && third.elapsedSeconds < 2000, String(third.elapsedSeconds));
	t.deepEqual(
		(await reportsOf(path)).map(({step}) => step),
		[2, 3],
	);
});

test('lines that are no reports do not harm those that are', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	await (await RunFolder.create(path, {})).close();
	const rubbish = ['', 'null', '[]', '7', '{"type":"step"}', '{"type":"epoch","step":1,"epoch":1}', '{"type":"lap"}'];
	const bytes = [
		...rubbish.map((line) => Buffer.from(`${line}\n`)),
		Buffer.from([0xff, 0xfe, 0x0d, 0x80, 0x0a]),
		Buffer.from(`${JSON.stringify({...stepReport(1), more: 'x'.repeat(2 ** 23)})}\n`),
		...[1, 2, 3].map((step) => Buffer.from(`${JSON.stringify(stepReport(step))}\n`)),
		Buffer.from('{"type":"step","step":2'),
	];
	await writeFile(join(path, 'metrics.jsonl'), Buffer.concat(bytes));
	const resumed = await RunFolder.resume(path, {}, at(2));
	await resumed.close();
	t.deepEqual(resumed.epochs, []);
	t.deepEqual(await readFile(join(path, 'metrics.jsonl')), Buffer.concat(bytes.slice(0, -2)));
});

test('a configuration that is no object is refused', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	await (await RunFolder.create(path, {})).close();
	for (const text of ['null', '[]', '7', '"text"', '', '{', '['.repeat(1_000_000), ' '.repeat(2 ** 25)]) {
		await writeFile(join(path, 'config.json'), text);
		await t.throwsAsync(
			RunFolder.read(path),
			{code: 'ALEXNET_RUN', message: /holds no run to resume/},
			text.slice(0, 9),
		);
	}
});
