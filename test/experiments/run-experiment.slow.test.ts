// Each experiment on a handful of pictures, from its first run to its page; one that is stopped in the middle goes on.
import {readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {runExperiment, type ExperimentName, type ExperimentResult} from '../../lib/index.ts';
import type {ExperimentOptions, ExperimentRun} from '../../lib/index.ts';
import {experiments} from '../../lib/experiments/experiments.ts';
import {sentenceOf} from '../../lib/experiments/findings.ts';
import {measures} from '../../lib/experiments/measures.ts';
import {runOwnExperiment} from '../../lib/experiments/run-experiment.ts';
import type {Experiment} from '../../lib/experiments/experiment.ts';
import {alexnet, writePictures} from '../helpers/command.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences} from '../helpers/small-runs.ts';

let pictures = '';
let remove = async (): Promise<void> => Promise.resolve();

test.before(async (t) => {
	const teardowns: (() => Promise<void>)[] = [];
	const folder = await temporaryFolder({...t, teardown: (work: () => Promise<void>) => teardowns.push(work)} as never);
	remove = async () => {
		for (const teardown of teardowns) await teardown();
	};
	pictures = join(folder, 'pictures');
	await writePictures(pictures, {blue: [60, 60, 180], green: [60, 160, 60], red: [180, 60, 60]}, 30);
});
test.after.always(async () => remove());

/** The experiment with few pictures and steps. */
function tiny(name: ExperimentName, change: Partial<Experiment['quick']> = {}): Experiment {
	const experiment = experiments[name];
	const {quick} = experiment;
	const few = {
		trainingPictures: 48,
		heldOutPictures: 9,
		batchSize: 16,
		epochs: 2,
		divideAt: quick.divideAt.length > 0 ? [1] : [],
	};
	const rates = quick.rates && {rates: [0.001, 0.01]};
	return {...experiment, quick: {...quick, ...few, ...rates, ...change}};
}

async function run(
	t: ExecutionContext,
	experiment: Experiment,
	options: Partial<ExperimentOptions> = {},
): Promise<ExperimentResult> {
	const out = join(await temporaryFolder(t), 'experiment');
	return runOwnExperiment(experiment, {folder: pictures, out, seeds: 1, threads: 1, ...options});
}

for (const experiment of Object.values(experiments)) {
	test(`${experiment.name} on a handful of pictures`, async (t) => {
		const own = tiny(experiment.name);
		const seeds = experiment.name === 'crops' ? 2 : 1;
		const runs: ExperimentRun[] = [];
		const result = await run(t, own, {seeds, onRun: (each) => runs.push(each)});
		const {title, unit, missing} = measures[experiment.measure];
		const findings = {measure: {title, unit, missing}, expected: experiment.expected, arms: result.arms};
		t.is(result.sentence, sentenceOf(findings), 'the sentence follows from the numbers');
		t.deepEqual(
			result.arms.map((arm) => arm.values.length),
			experiment.arms.map(() => seeds),
		);
		for (const {values} of result.arms) {
			for (const value of values) t.true(value === null || (Number.isFinite(value) && Math.abs(value) < 1000));
		}
		if (unit === 'share') t.true(result.arms.every(({values}) => values.every((value) => value !== null)));
		t.true(runs.length >= seeds * experiment.arms.filter(({runsOf}) => runsOf === undefined).length);

		const html = await readFile(join(result.folder, 'experiment.html'), 'utf8');
		t.is(html.match(/<script/gi)?.length, 3);
		t.deepEqual(html.match(/<[a-z][^>]*\b(src|href)=(?!"data:)[^>]*>/gi), null);
		const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? [];
		const shown = JSON.parse(json) as {
			sentence: string;
			rows: string[][];
			chart: {lines: {x: number[]; y: number[]}[]};
		};
		t.is(shown.sentence, result.sentence);
		t.is(shown.rows.length, result.arms.length);
		t.true(shown.chart.lines.length > 0);
		t.true(shown.chart.lines.every(({x, y}) => experiment.name === 'relu' || (x.length > 1 && x.length === y.length)));
		const kept = JSON.parse(await readFile(join(result.folder, 'experiment.json'), 'utf8')) as {
			result: ExperimentResult;
		};
		t.is(kept.result.sentence, result.sentence);
	});
}

test('one that is stopped in the middle goes on to the same numbers, and makes no run twice', async (t) => {
	const folder = await temporaryFolder(t);
	const [whole, stopped] = [join(folder, 'whole'), join(folder, 'stopped')];
	const own = tiny('augmentation');
	const alone = await run(t, own, {out: whole, seeds: 2});
	const leaving = new AbortController();
	const reason = new Error('enough');
	const onProgress: ExperimentOptions['onProgress'] = ({run: at, phase, done}) => {
		if (at === 3 && phase === 'training' && done === 4) leaving.abort(reason);
	};
	const first = run(t, own, {out: stopped, seeds: 2, signal: leaving.signal, onProgress});
	t.is(await t.throwsAsync(first), reason);
	const kept = await stat(join(stopped, 'all', 'seed-1', 'last.safetensors'));
	const steps: string[] = [];
	const resumed = await run(t, own, {
		...{out: stopped, seeds: 2},
		onProgress: ({path, phase, done}) => {
			if (phase === 'training') steps.push(`${path} ${done}`);
		},
	});
	t.deepEqual(resumed.arms, alone.arms);
	t.is(resumed.sentence, alone.sentence);
	t.is(steps[0], 'none/seed-1 5', 'it goes on after the step that was the last');
	t.is((await stat(join(stopped, 'all', 'seed-1', 'last.safetensors'))).mtimeMs, kept.mtimeMs);
	for (const arm of own.arms) {
		for (const seed of [1, 2]) {
			const path = join(arm.name, `seed-${seed}`);
			t.deepEqual(await differences(join(whole, path), join(stopped, path)), [], path);
		}
	}
	// More seeds add to it.
	const more = await run(t, own, {out: stopped, seeds: 3});
	t.deepEqual(
		more.arms.map(({values}) => values.slice(0, 2)),
		alone.arms.map(({values}) => values),
	);
});

test('arms see the same pictures, and differ in their colours where they should', async (t) => {
	const out = join(await temporaryFolder(t), 'experiment');
	await run(t, tiny('augmentation'), {out});
	const losses = await Promise.all(
		['all', 'views', 'none'].map(async (arm) => {
			const [line = ''] = (await readFile(join(out, arm, 'seed-1', 'metrics.jsonl'), 'utf8')).split('\n');
			return (JSON.parse(line) as {loss: number}).loss;
		}),
	);
	t.is(new Set(losses).size, 3, 'the first step sees other views');
});

test('weights that run away are no number, and the experiment goes on', async (t) => {
	const relu = tiny('relu', {rates: [0.001, 1e9]});
	const result = await run(t, relu);
	t.true(result.arms.every(({rate}) => rate === 0.001));
	t.regex(
		result.notes.join(' '),
		/of the learning rates 0\.001, 1000000000, 0\.001 was the best .*the smallest that was tried/,
	);
	const {runs} = JSON.parse(await readFile(join(result.folder, 'experiment.json'), 'utf8')) as {
		runs: {path: string; trainingError: number | null}[];
	};
	t.is(runs.find(({path}) => path === 'relu/rate-1000000000')?.trainingError, null);
});

test('another experiment, other options and other pictures are refused in a folder that has one', async (t) => {
	const out = join(await temporaryFolder(t), 'experiment');
	await run(t, tiny('crops'), {out});
	const refused = async (
		experiment: Experiment,
		options: Partial<ExperimentOptions>,
		message: RegExp,
	): Promise<void> => {
		await t.throwsAsync(run(t, experiment, {out, ...options}), {code: 'ALEXNET_RUN', message});
	};
	await refused(tiny('lrn'), {}, /holds another experiment: its name, .*'crops' there, and here 'lrn'/);
	await refused(tiny('crops', {epochs: 3}), {}, /its size differs/);
	await refused(tiny('crops'), {precision: 'bf16'}, /its precision differs \('fp32' there, and here 'bf16'\)/);
	const others = join(await temporaryFolder(t), 'others');
	await writePictures(others, {blue: [60, 60, 180], red: [180, 60, 60]}, 20);
	await refused(tiny('crops'), {folder: others}, /its pictures differs/);
	await writeFile(join(out, 'experiment.json'), '{"identity": 3}');
	await refused(tiny('crops'), {}, /identity must be an object/);
	await rm(out, {recursive: true});
	await writeFile(out, 'This is no folder.');
	await refused(tiny('crops'), {}, /cannot be used/);
});

test('what cannot be is refused before anything is made', async (t) => {
	const folder = await temporaryFolder(t);
	const out = join(folder, 'experiment');
	const refused = async (name: string, options: object, code: string, message: RegExp): Promise<void> => {
		await t.throwsAsync(runExperiment(name as ExperimentName, {folder: pictures, out, ...options}), {code, message});
	};
	await refused('relus', {}, 'ALEXNET_ARGUMENT', /name must be one of relu, lrn/);
	await refused('relu', {seeds: 0}, 'ALEXNET_ARGUMENT', /seeds must be an integer of at least 1/);
	await refused('relu', {form: 'slow'}, 'ALEXNET_ARGUMENT', /form must be one of quick, full/);
	await refused('relu', {seed: 3}, 'ALEXNET_ARGUMENT', /Did you mean 'seeds'/);
	// Without a folder it takes the example pictures, which have no place here.
	process.env.XDG_CACHE_HOME = join(folder, 'one/blue/0.png');
	t.teardown(() => delete process.env.XDG_CACHE_HOME);
	const [one, noPlace] = [join(folder, 'one'), /emoji.*0\.png/];
	await writePictures(one, {blue: [60, 60, 180]}, 4);
	await refused('decoupling', {folder: undefined}, 'ALEXNET_FOLDER', noPlace);
	await refused('lrn', {folder: join(folder, 'nowhere')}, 'ALEXNET_FOLDER', /nowhere/);
	await refused('lrn', {folder: one}, 'ALEXNET_FOLDER', /needs at least 2 classes; '.*' has 1\./);
	await writePictures(one, {green: [60, 180, 60]}, 4);
	await refused('lrn', {folder: one}, 'ALEXNET_FOLDER', /needs at least 32 pictures to train on; '.*' has 6\./);
	t.deepEqual(await readdir(folder), ['one']);
});

test('on the command line Ctrl-C saves, the same command goes on, and the result is a table and a sentence', async (t) => {
	const out = join(await temporaryFolder(t), 'lrn');
	const args = ['experiment', 'lrn', pictures, '--out', out, '--seeds', '1', '--threads', '1'];
	const stopped = await alexnet(args, {when: {printed: 'lrn/seed-1 (with LRN)', send: 'SIGINT', to: 'stderr'}});
	t.is(stopped.code, 130, stopped.stderr);
	t.regex(stopped.stderr, /Interrupted by SIGINT\. The same command goes on from there\./);
	t.is(stopped.stdout, '');
	const ended = await alexnet([...args, '--json']);
	t.is(ended.code, 0, ended.stderr);
	const result = JSON.parse(ended.stdout) as ExperimentResult;
	t.true(ended.stderr.includes(result.sentence));
	t.regex(result.sentence, /with one seed nothing can be said of the spread/);
	const shown = await alexnet(args);
	t.regex(
		shown.stdout,
		/^held-out error after the last epoch; 81 pictures to train on, 9 pictures held out, 6 epochs, quick form, fp32\n/,
	);
	t.true(shown.stdout.includes(`${result.sentence}\n`));
	t.regex(shown.stdout, /without LRN +\d+\.\d % +– +1 /);
	const listed = await alexnet(['experiment', 'list', '--json']);
	t.deepEqual(
		(JSON.parse(listed.stdout) as {name: string}[]).map(({name}) => name),
		Object.keys(experiments),
	);
	const both = await alexnet(['experiment', 'lrn', pictures, '--quick', '--full']);
	t.is(both.code, 2);
	const unknown = await alexnet(['experiment', 'lrm']);
	t.is(unknown.code, 2);
	t.regex(unknown.stderr, /Allowed choices are list, relu/);
});
