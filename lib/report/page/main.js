import {charts} from './charts.js';
import {classSection, pictureSections} from './classes.js';
import {el, section} from './dom.js';
import {ChartGrid} from './grid.js';
import {kernelSection} from './kernels.js';
import {follow} from './live.js';
import {configSection, epochTable, overview} from './tables.js';

/** @typedef {import('./dom.js').ReportData} ReportData */
/** @typedef {import('./dom.js').RunData} RunData */

const place = /** @type {HTMLElement} */ (document.querySelector('#report'));
/** @type {ReportData} */
let report = JSON.parse(document.querySelector('#data')?.textContent ?? '');
const grid = new ChartGrid(report.runs, charts);
const head = el('div');
const rest = el('div');

/** What does not change from step to step. */
function showRest() {
	const {runs, version, madeAt} = report;
	const of = (/** @type {RunData} */ {name}) => (runs.length > 1 ? `, ${name}` : '');
	const parts = runs.flatMap((run) => [
		kernelSection(run, `Kernels of conv1${of(run)}`),
		...(run.predictions ? [classSection(run.predictions, `Classes${of(run)}`)] : []),
		...(run.predictions ? pictureSections(run.predictions, of(run)) : []),
		epochTable(run, `Epochs in numbers${of(run)}`),
	]);
	rest.replaceChildren(
		...parts.filter((part) => part !== undefined),
		configSection(runs),
		el('footer', {}, `Made by alexnet-cuda ${version}, ${new Date(madeAt).toLocaleString()}.`),
	);
}

function showHead() {
	head.replaceChildren(overview(report.runs));
}

const names = report.runs.map(({name}) => name).join(', ');
place.replaceChildren(el('h1', {}, report.runs.length > 1 ? 'Training runs ' : 'Training run ', el('em', {}, names)));
if (report.live) {
	place.append(
		follow(report.live.token, {
			add(rows) {
				const steps = report.runs[0]?.steps;
				if (!steps) return;
				for (const row of rows) {
					// What the last reading of all had already.
					if (row.step <= (steps.step.at(-1) ?? 0)) continue;
					for (const [name, value] of Object.entries(row)) {
						steps[/** @type {keyof typeof row} */ (name)].push(value);
					}
				}
				showHead();
				grid.update(report.runs);
			},
			replace(fresh) {
				report = {...fresh, live: report.live};
				showHead();
				grid.update(report.runs);
				showRest();
			},
		}),
	);
}
place.append(head, section('Over time', grid.choice, grid.element), rest);
showHead();
showRest();
grid.draw();
