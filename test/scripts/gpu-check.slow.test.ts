// What scripts/gpu-check says of parts that fail, hang or flood, and of a machine without the device.
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {leftOut, partsFor, type Part} from '../../scripts/gpu/parts.ts';
import {runPart, type PartResult} from '../../scripts/gpu/run-part.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {root} from '../helpers/sources.ts';

async function resultOf(
	t: ExecutionContext,
	script: string,
	{seconds = 30, ...part}: Partial<Part> = {},
): Promise<PartResult & {folder: string}> {
	const folder = await temporaryFolder(t);
	const command: Part['command'] = [process.execPath, '--eval', script];
	return {...(await runPart({name: 'part', command, ...part, seconds}, folder, seconds)), folder};
}

/** A process that has ended stays listed until its parent asks for it. */
function isRunning(process: string): boolean {
	const status = `/proc/${process}/status`;
	return existsSync(status) && !/^State:\s+[ZX]/m.test(readFileSync(status, 'utf8'));
}

/** Nothing where it has ended. */
function commandOf(process: string): string[] {
	try {
		return readFileSync(`/proc/${process}/cmdline`, 'utf8').split('\0');
	} catch {
		return [];
	}
}

function childrenOf({pid = 0}: {pid?: number | undefined}): string[] {
	const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
	return children === '' ? [] : children.split(' ');
}

test('a part that ends well tells its last line, and what it printed is kept', async (t) => {
	const {outcome, note, folder} = await resultOf(t, "console.log('one'); console.log('3 tests passed\\n')");
	t.is(outcome, 'passed');
	t.is(note, '3 tests passed');
	t.is(readFileSync(join(folder, 'part.log'), 'utf8'), 'one\n3 tests passed\n\n');
});

test('a part that measures tells what it found, and leaves JSON of its own', async (t) => {
	const tell = (json: unknown): string => `${(json as {ms: number}).ms} ms`;
	const script = 'console.error("50 %"); console.log(JSON.stringify({ms: 7}))';
	const {outcome, note, folder} = await resultOf(t, script, {tell});
	t.is(outcome, 'passed');
	t.is(note, '7 ms');
	t.deepEqual(JSON.parse(readFileSync(join(folder, 'part.json'), 'utf8')), {ms: 7});
});

test('a part that fails, crashes or is not there says so', async (t) => {
	const failed = await resultOf(t, "console.error('lrn is wrong'); process.exit(3)");
	t.is(failed.outcome, 'failed');
	t.is(failed.note, 'exit code 3: lrn is wrong');
	const crashed = await resultOf(t, "process.kill(process.pid, 'SIGSEGV')");
	t.is(crashed.outcome, 'failed');
	t.regex(crashed.note, /^ended by SIGSEGV/);
	const missing = await resultOf(t, '', {command: ['no-such-program']});
	t.is(missing.outcome, 'failed');
	t.regex(missing.note, /no-such-program ENOENT/);
});

test('a part that hangs ends when its time is over, with what it has started', async (t) => {
	// Neither listens to SIGTERM.
	const child = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
	const script = `
		const {spawn} = require('node:child_process');
		const {pid} = spawn(process.execPath, ['--eval', ${JSON.stringify(child)}], {stdio: 'inherit'});
		console.log(pid);
		${child}`;
	const {outcome, note, seconds} = await resultOf(t, script, {seconds: 2});
	t.is(outcome, 'timed out');
	t.true(seconds >= 2 && seconds < 20, `${seconds} s`);
	const [, started = ''] = /^after 2 s: (\d+)$/.exec(note) ?? [];
	t.not(started, '', note);
	t.false(isRunning(started));
});

test('of a part that floods its output the beginning is kept, and the last line', async (t) => {
	const script = "for (let i = 0; i < 100; ++i) console.log('x'.repeat(100_000)); console.log('10 MB')";
	const {outcome, note, folder} = await resultOf(t, script);
	t.is(outcome, 'passed');
	t.is(note, '10 MB');
	const {size} = statSync(join(folder, 'part.log'));
	t.true(size > 4 * 2 ** 20 && size < 4.1 * 2 ** 20, `${size} bytes`);
});

test('without the device it says so, in the table as well, and ends with code 1', async (t) => {
	const out = await temporaryFolder(t);
	const command = ['--import=tsx', 'scripts/gpu/check.ts', '--device', 'cuda:9', '--out', out];
	const {status, stdout} = spawnSync(process.execPath, command, {cwd: root, encoding: 'utf8'});
	t.is(status, 1);
	t.regex(stdout, /^device +failed +0 +there is no cuda:9 here/m);
	t.true(readFileSync(join(out, 'summary.txt'), 'utf8').includes('there is no cuda:9 here'));
});

test('unknown parts and wrong numbers are refused before anything runs', (t) => {
	for (const [option, expected] of [
		['--only=selftest,lrn', /there is no part 'lrn'\. Parts: devices, selftest, /],
		['--minutes=soon', /--minutes must be a number above 0, got 'soon'/],
	] as const) {
		const {status, stderr} = spawnSync(process.execPath, ['--import=tsx', 'scripts/gpu/check.ts', option], {
			cwd: root,
			encoding: 'utf8',
		});
		t.is(status, 2);
		t.regex(stderr, expected);
	}
});

test('Ctrl-C ends what runs', async (t) => {
	const out = await temporaryFolder(t);
	const check = spawn(process.execPath, ['--import=tsx', 'scripts/gpu/check.ts', '--device=cpu:0', '--out', out], {
		cwd: root,
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	// The selftest begins when the devices are known.
	await once(check.stdout, 'data');
	const selftests = (): string[] => childrenOf(check).filter((pid) => commandOf(pid).includes('selftest'));
	while (selftests().length === 0) await setTimeout(20);
	const begun = selftests();
	check.kill('SIGINT');
	const [code] = (await once(check, 'exit')) as [number];
	t.is(code, 1);
	while (begun.some(isRunning)) await setTimeout(20); // killed, and then gone
	t.pass();
});

test('what cannot run on a device is left out with a reason, and everything runs on a real GPU that has the tools', (t) => {
	const gpu = {id: 'cuda:0', kind: 'cuda', isSimulated: false, computeCapability: '8.0'} as const;
	t.deepEqual(leftOut(gpu, {sanitizer: true, torch: true}), {});
	const older = {...gpu, computeCapability: '7.5'};
	t.deepEqual(Object.keys(leftOut(older, {sanitizer: true, torch: true})), ['bench-tf32']);
	t.deepEqual(Object.keys(leftOut(gpu, {sanitizer: false, torch: false})).sort(), [
		...['bench-pytorch', 'initcheck', 'memcheck', 'pytorch', 'racecheck', 'synccheck'],
	]);
	const names = partsFor(gpu).map(({name}) => name);
	t.is(new Set(names).size, names.length);
	const simulated = leftOut({...gpu, isSimulated: true}, {sanitizer: true, torch: true});
	t.deepEqual(
		names.filter((name) => !(name in simulated)),
		['selftest', 'operations', 'models'],
	);
	for (const name of Object.keys(simulated)) t.true(names.includes(name), name);
});
