// The CPU device under limits: threads, and memory, are what this process may really have.
import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {listDevices, openDevice} from '../../lib/device/device.ts';
import {AlexNet} from '../../lib/index.ts';
import {alexnet, writePictures} from '../helpers/command.ts';
import type {Scheduling} from '../helpers/limited-child.ts';
import {tinyNet} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

const child = fileURLToPath(new URL('../helpers/limited-child.ts', import.meta.url));
const here = listDevices()[0]?.threads ?? 0;

interface Told {
	threads: number;
	threadsLimitedBy?: string;
	memoryBytes: number;
	freeBytes: number;
	/** Addresses that the process has. */
	mappedBytes: number;
	/** Threads of the device after a step: the queue's, and those that share its loops. */
	computing: readonly Scheduling[];
	/** The event loop's thread. */
	main: Scheduling;
	error: string;
}

/** @param before shell commands that limit the process which then becomes the child */
function limited(task: string, environment: Readonly<Record<string, string>>, before = ':'): Told & {stderr: string} {
	const command = `${before} && exec "$0" --import=tsx "$@"`;
	const {status, signal, stdout, stderr} = spawnSync('sh', ['-c', command, process.execPath, child, task], {
		env: {...process.env, ...environment},
		encoding: 'utf8',
		timeout: 60_000,
		killSignal: 'SIGKILL',
	});
	if (status !== 0) throw new Error(`The child ended with ${status ?? signal ?? ''}: ${stderr}`);
	return {...(JSON.parse(stdout) as Told), stderr};
}

test.serial('a net trains on as many threads as OpenMP starts', (t) => {
	for (const name of ['OMP_THREAD_LIMIT', 'OMP_NUM_THREADS']) {
		const {threads, threadsLimitedBy, error} = limited('train', {[name]: '1'});
		t.is(threads, 1);
		t.is(error, '');
		if (here > 1) t.is(threadsLimitedBy, name);
		t.is(limited('', {[name]: '1000'}).threads, here);
	}
	t.is(limited('train', {OMP_MAX_ACTIVE_LEVELS: '0'}).threads, 1);
});

test.serial('a process that may use one core has one thread', (t) => {
	const [, first = ''] = /^Cpus_allowed_list:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
	const {threads, threadsLimitedBy, computing, error} = limited('train', {}, `taskset -cp ${first} $$ > /dev/null`);
	t.is(error, '');
	t.deepEqual([threads, computing.length], [1, 1]);
	if (availableParallelism() > 1) t.is(threadsLimitedBy, 'affinity');
});

test.serial("oneDNN's loops run on the device's threads", (t) => {
	// A second team would be there if its calls reached another OpenMP library.
	const {threads, computing} = limited('train', {});
	t.is(computing.length, threads);
});

test.serial('threads that compute have the priority of the others, as batch work', (t) => {
	const {threads, computing, main} = limited('train', {});
	const [normal, batch] = [0, 3]; // SCHED_OTHER and SCHED_BATCH
	t.is(main.policy, normal);
	t.deepEqual(computing, Array<Scheduling>(threads).fill({niceness: main.niceness, policy: batch}));
});

test('threads are asked for on the CPU alone, and two devices share them', async (t) => {
	for (const threads of [0, -1, 1.5, NaN]) {
		const refusal = {code: 'ALEXNET_ARGUMENT', message: /^threads must be an integer of at least 1, got/};
		t.throws(() => openDevice('cpu', {threads}), refusal);
		await t.throwsAsync(AlexNet.create({classes: 2, columns: 1, threads}), refusal);
	}
	t.throws(() => openDevice('cuda:0', {threads: 1}), {code: 'ALEXNET_ARGUMENT', message: /cuda:0/});
	await t.throwsAsync(AlexNet.create({classes: 2, devices: 'cuda:0', threads: 1}), {code: 'ALEXNET_ARGUMENT'});
	for (const [devices, threads, each] of [
		['cpu', undefined, here],
		['cpu', 1, 1],
		['cpu', 10_000, here],
		[['cpu:0', 'cpu:1'], undefined, Math.max(1, Math.floor(here / 2))],
		[['cpu:0', 'cpu:1'], 1, 1],
	] as const) {
		await using model = await AlexNet.create({classes: 2, devices, threads, batchSize: 1});
		t.is(model.threads, each);
	}
});

test.serial('train and evaluate tell how many threads --threads leaves', async (t) => {
	const folder = await temporaryFolder(t);
	const [pictures, net, out] = [join(folder, 'pictures'), join(folder, 'net.json'), join(folder, 'run')];
	await writePictures(pictures, {red: [200, 40, 40], blue: [40, 40, 200]}, 6);
	writeFileSync(net, JSON.stringify(tinyNet(2)));
	for (const args of [
		['train', pictures, '--architecture', net, '--batch-size', '5', '--epochs', '1', '--out', out],
		['evaluate', join(out, 'last.safetensors'), pictures],
	]) {
		const {code, stderr} = await alexnet([...args, '--threads', '1']);
		t.is(code, 0, stderr);
		t.regex(stderr, /^Device: cpu:0 \(.*, 1 core\b.*\) in fp32\.$/m);
	}
});

test.serial('ulimit of addresses counts as memory that is not free, and what does not fit is refused', (t) => {
	// Otherwise WebAssembly in node reserves more addresses than there is memory.
	const environment = {NODE_OPTIONS: '--disable-wasm-trap-handler'};
	const {mappedBytes, freeBytes} = limited('', environment);
	// Twice as much is still less than the net takes in training: 61 million parameters x 4 bytes x 3, and pictures.
	const left = 500_000_000;
	const before = `ulimit -v ${Math.ceil((mappedBytes + left) / 1024)}`;
	const told = limited('large', environment, before);
	// From one process to the next, and until it is asked, node has mapped some hundred megabytes more or less.
	t.true(told.freeBytes > 0 && told.freeBytes < 2 * left, `${told.freeBytes} free of ${left}`);
	t.true(freeBytes > 2 * left, `${freeBytes} free without the limit`);
	t.is(told.error, 'ALEXNET_MEMORY');
});

test.serial('ulimit of data counts as memory that is not free', (t) => {
	const bytes = 2_000_000 * 1024;
	const {freeBytes} = limited('', {}, `ulimit -d ${bytes / 1024}`);
	t.true(freeBytes > bytes / 2 && freeBytes < bytes, `${freeBytes}`);
});

/** A new group below the root of a controller's hierarchy, in version 1 or 2. */
function makeGroup(controller: string): string | undefined {
	for (const parent of [`/sys/fs/cgroup/${controller}`, '/sys/fs/cgroup']) {
		const folder = join(parent, `alexnet-test-${process.pid}`);
		try {
			mkdirSync(folder);
			return folder;
		} catch {
			// Not there, or not ours to change.
		}
	}
	return undefined;
}

function inGroup(
	controller: string,
	settings: Readonly<Record<string, string>>,
	task: string,
): (Told & {stderr: string}) | undefined {
	const folder = makeGroup(controller);
	if (folder === undefined) return undefined;
	try {
		for (const [file, text] of Object.entries(settings)) writeFileSync(join(folder, file), text);
		return limited(task, {}, `echo $$ > ${folder}/cgroup.procs`);
	} catch (error) {
		// Another version, or a controller that is not handed down: these files are not there to be written.
		if (error instanceof Error && 'syscall' in error) return undefined;
		throw error;
	} finally {
		rmdirSync(folder);
	}
}

const needs = 'left out: it takes root, and control groups that may be changed';

test.serial('in a control group of 900 MB what does not fit is refused before anything is taken', (t) => {
	const limit = String(900 * 2 ** 20);
	const told =
		inGroup('memory', {'memory.limit_in_bytes': limit}, 'large') ?? inGroup('memory', {'memory.max': limit}, 'large');
	if (!told) {
		t.log(needs);
		t.pass();
		return;
	}
	t.is(told.memoryBytes, Number(limit));
	t.true(told.freeBytes > 0 && told.freeBytes < Number(limit));
	t.is(told.error, 'ALEXNET_MEMORY');
});

test.serial('in a control group with the quota of one core there is one thread', (t) => {
	const told =
		inGroup('cpu', {'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '60000'}, '') ??
		inGroup('cpu', {'cpu.max': '60000 100000'}, '');
	if (!told) {
		t.log(needs);
		t.pass();
		return;
	}
	t.is(told.threads, 1);
	if (here > 1) t.is(told.threadsLimitedBy, 'CPU quota');
});
