import {el, section, table} from './dom.js';
import {percent} from './figures.js';
import {ChartGrid, colours} from './grid.js';

/** @typedef {import('../experiment-data.ts').ExperimentData} ExperimentData */
/** @typedef {import('../experiment-data.ts').ExperimentLine} ExperimentLine */

const place = /** @type {HTMLElement} */ (document.querySelector('#report'));
/** @type {ExperimentData} */
const data = JSON.parse(document.querySelector('#data')?.textContent ?? '');
const {chart} = data;

/** @type {import('./grid.js').Chart<ExperimentLine>} */
const shown = {
	title: chart.title,
	format: percent,
	share: true,
	lines: (lines) =>
		lines.map(({label, arm, isFirst, x, y}) => ({
			...{label, x, y, colour: colours[arm % colours.length] ?? ''},
			look: isFirst ? 'solid' : 'dashed',
		})),
};
const grid = new ChartGrid(chart.lines, {shown}, chart.scale);

place.append(
	el('h1', {}, 'Experiment ', el('em', {}, data.name)),
	el('p', {}, data.shows, ` (The paper: ${data.section}.)`),
	section(
		'What the numbers say',
		el('p', {class: 'told'}, data.sentence),
		...data.notes.map((note) => el('p', {}, note)),
		el('p', {class: 'muted'}, data.criterion),
	),
	section('In numbers', table(data.header, data.rows, data.measure)),
	section('Over time', el('p', {class: 'muted'}, 'Means over the seeds.'), grid.element),
	section('Settings', table(['', ''], data.facts, 'What the arms have in common')),
	el('footer', {}, `Made by alexnet-cuda ${data.version}, ${new Date(data.madeAt).toLocaleString()}.`),
);
grid.draw();
