// `alexnet train` under mpirun: the same run as of one process, and a clean end on all ranks whatever happens to one.
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {TrainReport} from '../../lib/index.ts';
import {Random} from '../../lib/selftest/random.ts';
import {alexnet, type Ended} from '../helpers/command.ts';
import {fuzzCount, fuzzSeed} from '../helpers/fuzz-run.ts';
import {cli, libraries, mpirun, mpiTest, processOf, type MpiLibrary, type MpiRun} from '../helpers/mpi.ts';
import {tinyNet} from '../helpers/networks.ts';
import {differences, reportsOf, writeSmallPictures} from '../helpers/small-runs.ts';

/** What runs have in common: pictures of three classes, one of which cannot be read, and runs that were left alone. */
const shared: {folder: string; alone: Map<string, Promise<string>>} = {folder: '', alone: new Map()};

test.before(async () => {
	if (libraries.length === 0) return;
	shared.folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	await writeSmallPictures(join(shared.folder, 'pictures'));
	await writeFile(join(shared.folder, 'net.json'), JSON.stringify(tinyNet()));
});

const pictures = (): string => join(shared.folder, 'pictures');

test.after.always(async () => {
	if (shared.folder !== '') await rm(shared.folder, {recursive: true});
});

function settings(epochs = 6): string[] {
	const rates = ['--learning-rate', '0.003', '--epochs', String(epochs), '--batch-size', '14'];
	const net = ['--architecture', join(shared.folder, 'net.json'), '--seed', '3', '--threads', '1'];
	const scaling = ['--learning-rate-scaling', 'sqrt', '--reference-batch-size', '7', '--warm-up-epochs', '2.5'];
	return [...net, ...rates, ...scaling, '--save-every-steps', '1'];
}

const train = (out: string, more: readonly string[] = [], folder = pictures()): string[] => {
	return [cli, 'train', folder, ...settings(), '--out', out, ...more];
};
const resume = (run: string): string[] => [cli, 'train', pictures(), '--resume', run];

/** A run of two ranks that nobody disturbs. */
async function leftAlone(t: ExecutionContext, library: MpiLibrary): Promise<string> {
	const run = join(shared.folder, `alone ${library.name}`);
	if (!shared.alone.has(run)) {
		shared.alone.set(
			run,
			mpirun(library, 2, train(run)).ended.then(({code, stderr}) => {
				t.is(code, 0, stderr);
				t.regex(
					stderr,
					/^Learning rate 0\.00424264: 0\.003 for batches of 7, times 1\.41421 for 14 \(sqrt\), after a warm-up/m,
				);
				return run;
			}),
		);
	}
	return (await shared.alone.get(run)) ?? run;
}

async function reported(run: string, count: number, {ended}: MpiRun): Promise<void> {
	const state = {isOver: false};
	void ended.then(() => (state.isOver = true));
	while (!state.isOver && (await reportsOf(run)).length < count) await setTimeout(5);
}

mpiTest('a run of two ranks is that of one, but for rounding', async (t, library) => {
	const [run, one] = [await leftAlone(t, library), join(shared.folder, `one ${library.name}`)];
	const {code, stderr} = await alexnet(train(one).slice(1));
	t.is(code, 0, stderr);
	const [ours, theirs] = [await reportsOf(run), await reportsOf(one)] as [TrainReport[], TrainReport[]];
	t.is(ours.length, theirs.length);
	for (const [index, report] of ours.entries()) {
		const other = theirs[index]!;
		t.is(report.type, other.type);
		t.true(Math.abs(report.loss - other.loss) < 1e-3, `report ${index}: ${report.loss} and ${other.loss}`);
	}
	const [last, other] = [ours.at(-1)!, theirs.at(-1)!];
	t.is(last.type === 'epoch' && last.validation?.top1, other.type === 'epoch' && other.validation?.top1);
});

mpiTest(
	'twenty epochs of two ranks end with the accuracy of one',
	async (t, library) => {
		const accuracyOf = async (name: string, run: (args: string[]) => Promise<Ended>): Promise<number> => {
			const out = join(shared.folder, name);
			const args = [...settings(20).slice(0, -2), '--validation-fraction', '0.3', '--out', out];
			const {code, stderr} = await run(['train', pictures(), ...args]);
			t.is(code, 0, stderr);
			const last = (await reportsOf(out)).at(-1)!;
			t.is(last.epoch, 20);
			return last.type === 'epoch' ? last.validation!.top1 : NaN;
		};
		const two = await accuracyOf('twenty of two', (args) => mpirun(library, 2, [cli, ...args]).ended);
		const one = await accuracyOf('twenty of one', (args) => alexnet(args));
		t.log(`top-1 ${one} and ${two}`);
		t.is(two, one);
		t.true(one > 0.8, 'it has learned');
	},
	{first: true},
);

mpiTest('a signal at one rank ends all after the step, and the run goes on bit for bit', async (t, library) => {
	const [alone, run] = [await leftAlone(t, library), join(shared.folder, `signal ${library.name}`)];
	const started = mpirun(library, 2, train(run));
	await reported(run, 3, started);
	const rank = await processOf(started, 1);
	if (rank !== undefined) process.kill(rank, 'SIGUSR1');
	const {code, stderr} = await started.ended;
	t.is(code, 138, stderr);
	t.is(stderr.match(/Stopped after step \d+\./g)?.length, 1, stderr);
	t.regex(stderr, /Interrupted by SIGUSR1\. Go on with: alexnet train .* --resume/);
	const resumed = await mpirun(library, 2, resume(run)).ended;
	t.is(resumed.code, 0, resumed.stderr);
	t.deepEqual(await differences(alone, run), []);
});

interface Life {
	started: MpiRun;
	run: string;
	/** The rank to kill; where there is none, the run is left to end. */
	victim: number | undefined;
	random: Random;
	counts: {kills: number; writes: number; runs: number};
}

/** Kills a rank some steps after a start, and waits for all to end. False where the run has come to its end. */
async function killed(t: ExecutionContext, {started, run, victim, random, counts}: Life): Promise<boolean> {
	let pid: number | undefined;
	if (victim !== undefined) {
		const before = (await reportsOf(run)).length;
		await reported(run, before + 1, started);
		pid = await processOf(started, victim);
		await reported(run, before + 1 + random.integer(7), started);
		await setTimeout(random.integer(25)); // a checkpoint is written after each report
	}
	const isThere = pid !== undefined && existsSync(`/proc/${pid}`);
	if (isThere) process.kill(pid!, 'SIGKILL');
	const since = performance.now();
	const {code, stderr} = await started.ended;
	if (!isThere) t.is(code, 0, stderr);
	if (!isThere || code === 0) return false;
	const milliseconds = performance.now() - since;
	t.true(milliseconds < 30_000, `${milliseconds} ms`);
	const writing = (await readdir(run)).filter((name) => name.endsWith('.tmp'));
	if (writing.length > 0) ++counts.writes;
	const where = `rank ${victim ?? NaN} after ${(await reportsOf(run)).length} reports`;
	t.log(`kill ${++counts.kills}: ${where} ${writing.join()}, ${milliseconds.toFixed(0)} ms until all had ended`);
	return true;
}

mpiTest(
	'ranks that are killed end the job, and it goes on bit for bit',
	async (t, library) => {
		const [kills, seed] = [fuzzCount(3), fuzzSeed()];
		t.timeout(240_000 + kills * 30_000);
		t.log(`ALEXNET_FUZZ_SEED=${seed}`);
		const random = new Random(seed);
		const alone = await leftAlone(t, library);
		const counts = {kills: 0, writes: 0, runs: 0};
		while (counts.kills < kills) {
			const run = join(shared.folder, `killed ${++counts.runs}`);
			let hasEnded = false;
			while (!hasEnded) {
				const started = mpirun(library, 2, existsSync(join(run, 'config.json')) ? resume(run) : train(run));
				const victim = counts.kills < kills ? random.integer(2) : undefined;
				hasEnded = !(await killed(t, {started, run, victim, random, counts}));
			}
			t.deepEqual(await differences(alone, run), [], `run ${counts.runs}`);
		}
		t.log(`${counts.kills} kills, ${counts.writes} of them while a file was being written, in ${counts.runs} runs`);
	},
	{first: true},
);

mpiTest(
	'a run goes on with another number of ranks, and says that bits may differ',
	async (t, library) => {
		const run = join(shared.folder, 'more ranks');
		await cp(await leftAlone(t, library), run, {recursive: true});
		const {code, stderr} = await mpirun(library, 3, [...resume(run), '--epochs', '7']).ended;
		t.is(code, 0, stderr);
		t.regex(stderr, /not bit for bit as it would have: .*ranks was 2 and is 3/);
		t.is((await reportsOf(run)).at(-1)?.epoch, 7);
	},
	{first: true},
);

mpiTest(
	'with gradients sent in bf16 a run goes on bit for bit, near that in fp32, and not as another type',
	async (t, library) => {
		const [whole, run] = [join(shared.folder, 'bf16'), join(shared.folder, 'bf16 in two parts')];
		const halves = ['--wire', 'bf16'];
		const ended = [await mpirun(library, 2, train(whole, halves)).ended];
		ended.push(await mpirun(library, 2, train(run, [...halves, '--epochs', '3'])).ended);
		const {code, stderr} = await alexnet([...resume(run).slice(1), '--wire', 'fp32']);
		t.is(code, 1);
		t.regex(stderr, /--wire is "fp32", but the run in .* was started with "bf16"/);
		ended.push(await mpirun(library, 2, [...resume(run), '--epochs', '6']).ended);
		for (const each of ended) t.is(each.code, 0, each.stderr);
		t.deepEqual(await differences(whole, run), []);
		const exact = await leftAlone(t, library);
		t.notDeepEqual(await differences(exact, whole), []);
		// Later, with single pictures left to learn from, small differences grow.
		const [ours, theirs] = await Promise.all([whole, exact].map(lossesOfEpochs));
		for (const epoch of [0, 1, 2]) t.true(Math.abs(ours![epoch]! - theirs![epoch]!) < 0.01, `epoch ${epoch + 1}`);
	},
	{first: true},
);

async function lossesOfEpochs(run: string): Promise<number[]> {
	return (await reportsOf(run)).flatMap(({type, loss}) => (type === 'epoch' ? [loss] : []));
}

/** All ranks end with an error, told once. */
function refused(t: ExecutionContext, {code, stderr}: Ended, expected: RegExp): void {
	t.is(code, 1, stderr);
	t.regex(stderr, expected);
	t.is(stderr.match(/^error: /gm)?.length, 1, stderr);
	t.notRegex(stderr, /TIME LIMIT/);
}

mpiTest(
	'ranks that differ end, all with the same error',
	async (t, library) => {
		const other = join(shared.folder, 'other pictures');
		await cp(pictures(), other, {recursive: true});
		await cp(join(other, 'red', '1.png'), join(other, 'red', 'one-more.png'));
		const out = join(shared.folder, 'differ');
		const options = await mpirun(library, 2, train(out), train(out, ['--momentum', '0.5'])).ended;
		refused(t, options, /Rank 1 on .* differs from rank 0 in momentum: 0\.5 instead of 0\.9\. .*ALEXNET_ARGUMENT/);
		const folder = await mpirun(library, 2, train(out), train(out, [], other)).ended;
		refused(t, folder, /Rank 1 on .* differs from rank 0 in the training pictures/);
		const missing = await mpirun(library, 2, train(out), train(out, [], join(shared.folder, 'nowhere'))).ended;
		refused(t, missing, /Rank 1 on .*: There is no folder .*nowhere'.*ALEXNET_FOLDER/);
		t.false(existsSync(out), 'nothing is left of a run that has not begun');
	},
	{first: true},
);

mpiTest(
	'a picture that one rank cannot read is left out by all',
	async (t, library) => {
		const other = join(shared.folder, 'damaged pictures');
		await cp(pictures(), other, {recursive: true});
		const damaged = join(other, 'blue', '3.png');
		await writeFile(damaged, Buffer.alloc((await stat(damaged)).size, 'x'));
		const run = join(shared.folder, 'damaged');
		const {code, stderr} = await mpirun(library, 2, train(run), train(run, [], other)).ended;
		t.is(code, 0, stderr);
		t.regex(stderr, /blue\/3\.png: a rank could not read it/);
		t.is((await reportsOf(run)).at(-1)?.epoch, 6);
	},
	{first: true},
);

mpiTest(
	'a loss that is no number, and a full disk, end all ranks',
	async (t, library) => {
		const out = join(shared.folder, 'diverged');
		const program = train(out).map((each) => (each === '0.003' ? '1e30' : each));
		refused(t, await mpirun(library, 2, program).ended, /The loss of step \d+ is .*ALEXNET_LOSS/);
		const disk = join(shared.folder, 'disk');
		await mkdir(disk);
		const {status} = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=220k', 'tmpfs', disk]);
		if (status !== 0) {
			t.log('Skipped: no file system can be mounted here.');
			return;
		}
		try {
			const since = performance.now();
			const full = await mpirun(library, 2, train(join(disk, 'run'))).ended;
			refused(t, full, /Could not write .*last\.safetensors: ENOSPC/);
			t.true(performance.now() - since < 60_000);
			const {length} = await readFile(join(disk, 'run', 'last.safetensors'));
			t.true(length > 100_000, 'the last checkpoint is whole');
		} finally {
			spawnSync('umount', [disk]);
		}
	},
	{first: true},
);
