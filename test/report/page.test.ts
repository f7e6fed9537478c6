// report.html without a browser: one whole file in which nothing runs but its own scripts, whatever names are in it.
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Script} from 'node:vm';
import test from 'ava';
import {writeReport, runFiles} from '../../lib/index.ts';
import {joined} from '../../lib/report/page.ts';
import type {ReportData} from '../../lib/report/report-data.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {hostileLabels, makeRun} from '../helpers/report-run.ts';
import {reportsOf} from '../helpers/small-runs.ts';

const epochs = 2;

function dataOf(html: string): ReportData {
	const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? [];
	return JSON.parse(json) as ReportData;
}

test('a report is one file that asks for nothing else, and its values are those of metrics.jsonl', async (t) => {
	const run = join(await temporaryFolder(t), 'a <b> & "c"');
	await makeRun(run, epochs);
	const file = await writeReport([run]);
	t.is(file, join(run, runFiles.report));
	const html = await readFile(file, 'utf8');
	// Three scripts, and no name that begins or ends one.
	t.is(html.match(/<script/gi)?.length, 3);
	t.is(html.match(/<\/script/gi)?.length, 3);
	t.deepEqual(html.match(/<[a-z][^>]*\b(src|href)=(?!"data:)[^>]*>/gi), null);
	t.notRegex(html, /@import|url\((?!data:)/);
	t.true(html.includes('<title>a &lt;b&gt; &amp; &quot;c&quot; · alexnet-cuda</title>'));
	t.true(html.includes('Leon Sorokin'), "uPlot's licence wants its notice kept");

	const {runs} = dataOf(html);
	const [{steps, epochs: rows, kernels, predictions, config} = {} as never] = runs;
	const reports = (await reportsOf(run)) as (Awaited<ReturnType<typeof reportsOf>>[number] & {
		elapsedSeconds: number;
	})[];
	const made = reports.filter((report) => report.type === 'step');
	t.is(steps.every, 1);
	for (const name of ['loss', 'top1', 'learningRate', 'imagesPerSecond'] as const) {
		t.deepEqual(
			steps[name],
			made.map((report) => report[name]),
			name,
		);
	}
	t.deepEqual(
		steps.seconds,
		made.map(({elapsedSeconds}) => elapsedSeconds),
	);
	t.deepEqual(steps.epoch, [1 / 3, 2 / 3, 1, 1 + 1 / 3, 1 + 2 / 3, 2]);
	const ended = reports.filter((report) => report.type === 'epoch');
	t.is(rows.length, epochs);
	for (const [index, row] of rows.entries()) {
		const {loss, top1, top5, validation} = ended[index]!;
		t.like(row, {loss, top1, top5, epoch: index + 1});
		t.like(row.validation, {loss: validation!.loss, top1: validation!.top1, pictures: 30});
	}
	t.deepEqual(
		kernels.map(({epoch}) => epoch),
		[0, 1, 2],
	);
	t.deepEqual(predictions?.labels, hostileLabels);
	t.is(
		predictions?.confusion.reduce((sum, value, at) => sum + (at % 3 === 2 ? value : 0), 0),
		30,
	);
	t.deepEqual(config.find(({title}) => title === 'Settings')?.facts, [['note', '</script>']]);
	const shown = [...(predictions?.hits ?? []), ...(predictions?.mistakes ?? [])];
	t.true(
		shown.every(({name}) => name?.startsWith('<b>/') === true),
		'no more of a path than its end',
	);
	t.false(html.includes('/home/me'));
});

test('its policy lets its own scripts run, which are whole', async (t) => {
	const run = join(await temporaryFolder(t), 'run');
	await makeRun(run, 1);
	const html = await readFile(await writeReport([run]), 'utf8');
	const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
	t.regex(policy, /default-src &#39;none&#39;/);
	t.regex(policy, /connect-src &#39;none&#39;/);
	const scripts = [...html.matchAll(/<script(?: type="module")?>(.*?)<\/script>/gs)].map(([, text = '']) => text);
	t.is(scripts.length, 2);
	for (const script of scripts) {
		t.true(policy.includes(createHash('sha256').update(script).digest('base64')));
		t.truthy(new Script(script));
	}
});

test('what modules import falls away, and what they export keeps its name', (t) => {
	const one = 'export const a = 1;\nexport function b() {}\n';
	const two = "import {\n\ta,\n\tb,\n} from './one.js';\nconst text = 'import this; export that';\nb(a, text);\n";
	t.is(joined([one, two]), `const a = 1;\nfunction b() {}\n\nconst text = 'import this; export that';\nb(a, text);\n`);
});

test('several runs lie in one page; folders of one name are told by their paths', async (t) => {
	const folder = await temporaryFolder(t);
	const runs = [join(folder, 'a', 'run'), join(folder, 'b', 'run')];
	for (const run of runs) await makeRun(run, 1);
	const out = join(folder, 'new folder', 'both.html');
	t.is(await writeReport(runs, out), out);
	const names = dataOf(await readFile(out, 'utf8')).runs.map(({name}) => name);
	t.deepEqual(names, runs);
});

test('a folder without a run, a file that cannot be written and no run at all are refused', async (t) => {
	const folder = await temporaryFolder(t);
	await t.throwsAsync(writeReport([join(folder, 'none')]), {code: 'ALEXNET_RUN'});
	await t.throwsAsync(writeReport([]), {code: 'ALEXNET_ARGUMENT', message: /at least one run folder/});
	const run = join(folder, 'run');
	await makeRun(run, 1);
	await t.throwsAsync(writeReport([run], folder), {code: 'ALEXNET_RUN', message: /cannot be written/});
});
