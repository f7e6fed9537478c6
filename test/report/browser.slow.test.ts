// The page in Chromium, from a file and while a run is under way. Skipped where there is no Chromium.
import {spawn} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {runFiles, writeReport, type EpochReport} from '../../lib/index.ts';
import {experimentPageOf} from '../../lib/report/page.ts';
import {Browser, chromium} from '../helpers/chromium.ts';
import {writePictures} from '../helpers/command.ts';
import {compiledProgram} from '../helpers/compiled.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {quickNet} from '../helpers/small-checkpoint.ts';
import {hostileLabels, makeRun} from '../helpers/report-run.ts';
import {reportsOf} from '../helpers/small-runs.ts';

const inBrowser = chromium === undefined ? test.serial.skip : test.serial;
const without = chromium === undefined ? ' (skipped: there is no Chromium in /usr/bin)' : '';

async function browse(t: ExecutionContext): Promise<Browser> {
	const browser = await Browser.start();
	t.teardown(() => browser.close());
	return browser;
}

inBrowser(`a report from a file is whole, in light and dark, on a desk and on a phone${without}`, async (t) => {
	const run = join(await temporaryFolder(t), 'run');
	await makeRun(run, 3);
	const url = pathToFileURL(await writeReport([run])).href;
	const browser = await browse(t);
	const backgrounds: string[] = [];
	for (const width of [390, 1280]) {
		for (const dark of [false, true]) {
			const tab = await browser.open(url, {width, height: 900, dark});
			t.true((await tab.evaluate<number>('document.documentElement.scrollWidth')) <= width, `${width} px are enough`);
			backgrounds.push(await tab.evaluate('getComputedStyle(document.documentElement).backgroundColor'));
			const names =
				'Array.from(document.querySelectorAll("[role=img], img")).filter((each) => !(each.getAttribute("aria-label") || each.alt)).length';
			t.is(await tab.evaluate(names), 0, 'every picture says what it is');
			t.is(await tab.evaluate('document.querySelectorAll(".plot canvas").length'), 5);
			const drawn = `Array.from(document.querySelectorAll('.plot canvas, canvas.kernels')).every((canvas) =>
				new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer).some((pixel) => pixel !== 0))`;
			t.true(await tab.evaluate(drawn), 'nothing is empty');
		}
	}
	t.is(new Set(backgrounds).size, 2);
	const tab = await browser.open(url, {width: 1280, height: 900});
	const epochs = (await reportsOf(run)).filter((report): report is EpochReport => report.type === 'epoch');
	const cells = await tab.evaluate<string[][]>(
		`Array.from(document.querySelectorAll('details tbody tr'), (row) => Array.from(row.children, (cell) => cell.textContent))`,
	);
	t.deepEqual(
		cells.map(([epoch = '', stepsMade, loss, top1, heldOutLoss]) => [
			parseInt(epoch),
			stepsMade,
			loss,
			top1,
			heldOutLoss,
		]),
		epochs.map(({epoch, step, loss, top1, validation}) => [
			...[epoch, String(step), loss.toFixed(3), `${(100 * top1).toFixed(1)} %`, validation!.loss.toFixed(3)],
		]),
	);
	const rows = await tab.evaluate<string[]>(
		`Array.from(document.querySelectorAll('.matrix tbody th'), (cell) => cell.textContent)`,
	);
	t.deepEqual(rows, hostileLabels, 'names are text');
	// The slider, by keyboard.
	await tab.evaluate('document.querySelector("input[type=range]").focus()');
	const slid = async (): Promise<string> => tab.evaluate('document.querySelector("output").textContent');
	t.is(await slid(), 'after epoch 3 (step 9)');
	for (let time = 0; time < 3; ++time) {
		for (const type of ['keyDown', 'keyUp']) {
			await tab.send('Input.dispatchKeyEvent', {type, key: 'ArrowLeft', code: 'ArrowLeft', windowsVirtualKeyCode: 37});
		}
	}
	t.is(await slid(), 'before the first epoch (step 0)');
	for (const scale of ['step', 'seconds'])
		await tab.evaluate(`document.querySelector('input[value=${scale}]').click()`);
	t.deepEqual(browser.complaints, []);
});

inBrowser(`a run is watched while it trains, and its button stops it with a checkpoint${without}`, async (t) => {
	const folder = await temporaryFolder(t);
	const [pictures, run] = [join(folder, 'pictures'), join(folder, 'run')];
	await writePictures(pictures, {blue: [30, 40, 220], red: [220, 30, 30]}, 8);
	const net = join(folder, 'net.json');
	await writeFile(net, JSON.stringify(quickNet));
	const args = [
		...['train', pictures, '--architecture', net, '--epochs', '10000', '--batch-size', '4', '--learning-rate', '0.001'],
		...['--out', run, '--watch'],
	];
	const child = spawn(process.execPath, [compiledProgram(), ...args], {stdio: ['ignore', 'ignore', 'pipe']});
	t.teardown(() => child.kill('SIGKILL'));
	let stderr = '';
	const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
	const url = await new Promise<string>((resolve, reject) => {
		child.on('close', () => reject(new Error(stderr)));
		child.stderr.on('data', (chunk: Buffer) => {
			stderr += chunk.toString();
			const [, found] = /^Watch it at (\S+)$/m.exec(stderr) ?? [];
			if (found !== undefined) resolve(found);
		});
	});
	const browser = await browse(t);
	const tab = await browser.open(url, {width: 1280, height: 900});
	const steps = `Number(Array.from(document.querySelectorAll('dt')).find((each) => each.textContent === 'steps').nextSibling.textContent)`;
	const until = async (condition: string): Promise<void> => {
		await tab.evaluate(`new Promise((resolve) => {
			const look = () => (${condition}) ? resolve() : requestAnimationFrame(look);
			look();
		})`);
	};
	// By events alone, without another reading of the page.
	await until(`${steps} >= 2`);
	const before = await tab.evaluate<number>(steps);
	await until(`${steps} > ${before}`);
	await tab.evaluate('document.querySelector("button").click()');
	t.is(await ended, 130, stderr);
	await until('!document.querySelector("button")');
	const state = await tab.evaluate<string>('document.querySelector(".live").textContent');
	const reports = (await reportsOf(run)).filter(({type}) => type === 'step');
	const last = reports.at(-1)!.step;
	t.is(state, `Stopped after step ${last}; the net is saved.`);
	t.is(await tab.evaluate(steps), last);
	t.regex(stderr, /Go on with: alexnet train .* --resume /);
	t.deepEqual(browser.complaints, []);
	t.true((await readFile(join(run, runFiles.report), 'utf8')).includes(`"step":[1,2`));
});

inBrowser(`an experiment's page is whole, in light and dark, and says what it says as text${without}`, async (t) => {
	const hostile = '</script><img src=x onerror=alert(1)>';
	const {html} = await experimentPageOf({
		...{name: 'lrn', shows: 'What it does.', section: '3.3', sentence: `With 1 %, without 2 %. ${hostile}`},
		...{criterion: 'A difference counts where …', notes: [hostile], measure: 'held-out error', header: ['', 'mean']},
		rows: [
			['with', '1 %'],
			[hostile, '2 %'],
		],
		chart: {
			...{title: 'Held-out error', scale: 'epoch'},
			lines: [
				{label: 'with', arm: 0, isFirst: true, x: [1, 2, 3], y: [0.5, NaN, 0.1]},
				{label: hostile, arm: 1, isFirst: true, x: [1, 2], y: [0.6, 0.4]},
			],
		},
		...{facts: [['epochs', '3']], version: '0', madeAt: new Date().toISOString()},
	});
	const file = join(await temporaryFolder(t), 'experiment.html');
	await writeFile(file, html);
	const browser = await browse(t);
	for (const [width, dark] of [
		[390, true],
		[1280, false],
	] as const) {
		const tab = await browser.open(pathToFileURL(file).href, {width, height: 900, dark});
		t.true((await tab.evaluate<number>('document.documentElement.scrollWidth')) <= width);
		t.is(await tab.evaluate('document.querySelectorAll(".plot canvas").length'), 1);
		t.is(await tab.evaluate('document.querySelectorAll("img").length'), 0);
		t.is(await tab.evaluate('document.querySelector(".told").textContent'), `With 1 %, without 2 %. ${hostile}`);
	}
	t.deepEqual(browser.complaints, []);
});
