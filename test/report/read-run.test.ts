// What a report makes of runs of any length, and of files that are not as they should be.
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {configFacts} from '../../lib/report/config-facts.ts';
import {RunReader} from '../../lib/report/read-run.ts';
import type {StepRow} from '../../lib/report/report-data.ts';
import {StepSeries} from '../../lib/report/step-series.ts';
import {writeReport} from '../../lib/report/write-report.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

const row = (step: number): StepRow => ({
	...{step, epoch: step / 100, seconds: step / 7, loss: Math.random(), top1: Math.random()},
	...{learningRate: 0.01 / step, imagesPerSecond: 100 * Math.random()},
});

for (const steps of [0, 1, 1999, 2000, 2001, 3999, 4001, 20_000 + Math.floor(5000 * Math.random())]) {
	test(`${steps} steps become at most 2000 rows, each the mean of its steps`, (t) => {
		const rows = Array.from({length: steps}, (_, index) => row(index + 1));
		const series = new StepSeries();
		for (const each of rows) series.add(each);
		const {every, ...columns} = series.columns;
		t.true(columns.step.length <= 2000 && columns.step.length * every >= steps);
		t.is(columns.step.length, Math.ceil(steps / every));
		t.true(steps < 2000 ? every === 1 : columns.step.length >= 1000);
		for (const [index, step] of columns.step.entries()) {
			const merged = rows.slice(index * every, (index + 1) * every);
			const mean = (of: (each: StepRow) => number): number =>
				merged.reduce((sum, each) => sum + of(each), 0) / merged.length;
			t.is(step, merged.at(-1)!.step);
			t.is(columns.learningRate[index], merged.at(-1)!.learningRate);
			t.is(columns.seconds[index], merged.at(-1)!.seconds);
			// Sums in another order: a few units in the last place of numbers up to a hundred.
			t.true(Math.abs(columns.loss[index]! - mean(({loss}) => loss)) < 1e-13);
			t.true(Math.abs(columns.imagesPerSecond[index]! - mean((each) => each.imagesPerSecond)) < 1e-11);
		}
	});
}

test('a file, or what cannot be read, is no run', async (t) => {
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, 'file'), 'x');
	await mkdir(join(folder, 'odd', 'metrics.jsonl'), {recursive: true});
	for (const [name, reason] of Object.entries({file: 'ENOTDIR', odd: 'EISDIR'})) {
		await t.throwsAsync(writeReport([join(folder, name)]), {
			code: 'ALEXNET_RUN',
			message: new RegExp(`^The run in '.*${name}' cannot be read: ${reason}.*\\. Name the folder of a run\\.$`),
		});
	}
});

test('lines that are no reports are skipped, and what a report lacks is no number', async (t) => {
	const run = join(await temporaryFolder(t), 'run');
	await mkdir(run);
	await writeFile(join(run, 'config.json'), '{"made": "by hand"}');
	t.like(await (await RunReader.open(run)).read(), {name: 'run', epochs: [], kernels: [], predictions: undefined});
	const good = {type: 'step', step: 1, epoch: 1, stepOfEpoch: 1, stepsPerEpoch: 4, loss: 2, top1: 0.5};
	const epoch = {type: 'epoch', step: 4, epoch: 1, loss: 1, best: true};
	const lines = ['', 'no JSON', '{"type":"step"}', JSON.stringify(good), JSON.stringify(epoch), '{"type":"epoch","epo'];
	await writeFile(join(run, 'metrics.jsonl'), lines.join('\n'));
	const {steps, epochs} = await (await RunReader.open(run)).read();
	t.deepEqual([steps.step, steps.loss, steps.epoch, steps.imagesPerSecond], [[1], [2], [0.25], [NaN]]);
	t.is(epochs.length, 1);
	t.like(epochs[0], {epoch: 1, loss: 1, top1: NaN, best: true});
});

test('config.json becomes tables, whatever is in it', (t) => {
	const config = {
		...{startedAt: 'now', labels: Array.from({length: 1000}, (_, label) => `${label}`)},
		...{versions: {node: '20'}, devices: [{id: 'cpu:0', threads: 2}], own: {deep: {deeper: null}}},
		settings: {epochs: 3, divideAt: [1, 2], layers: [{name: 'a'}, {name: 'b', size: 3}]},
	};
	const tables = Object.fromEntries(configFacts(config).map(({title, facts}) => [title, Object.fromEntries(facts)]));
	t.deepEqual(tables, {
		Run: {startedAt: 'now', labels: '1000 entries', 'own.deep.deeper': 'null'},
		Settings: {epochs: '3', divideAt: '1, 2', 'layers.0': 'name a', 'layers.1': 'name b, size 3'},
		Hardware: {id: 'cpu:0', threads: '2'},
		Versions: {node: '20'},
	});
	t.deepEqual(configFacts(JSON.parse('{"__proto__": 1, "settings": "none"}') as Record<string, unknown>), [
		{title: 'Run', facts: [['__proto__', '1']]},
		{title: 'Settings', facts: [['settings', 'none']]},
	]);
});
