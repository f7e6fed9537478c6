import {el, section, table} from './dom.js';
import {duration, fixed, percent, short, whole} from './figures.js';

/** @typedef {import('./dom.js').RunData} RunData */

/**
 * What one wants to know first, of each run.
 *
 * @param {readonly RunData[]} runs
 */
export function overview(runs) {
	const [run] = runs;
	if (runs.length > 1) {
		const facts = runs.map(factsOf);
		const rows = (facts[0] ?? []).map(([title], row) => [title, ...facts.map((each) => each[row]?.[1] ?? '–')]);
		return section('Overview', table(['', ...runs.map(({name}) => name)], rows, 'The runs side by side'));
	}
	const tiles = run ? factsOf(run) : [];
	return el(
		'dl',
		{class: 'tiles'},
		...tiles.map(([title, value]) => el('div', {}, el('dt', {}, title), el('dd', {}, value))),
	);
}

/**
 * @param {RunData} run
 * @returns {[string, string][]}
 */
function factsOf({epochs, steps}) {
	const best = epochs.findLast((epoch) => epoch.best);
	const last = epochs.at(-1);
	return [
		['best top-1, held out', best?.validation ? `${percent(best.validation.top1)} (epoch ${best.epoch})` : '–'],
		['last top-1, held out', percent(last?.validation?.top1)],
		['last loss, held out', fixed(last?.validation?.loss)],
		['last loss, training', fixed(steps.loss.at(-1) ?? last?.loss)],
		['epochs', whole(epochs.length)],
		['steps', whole(steps.step.at(-1) ?? 0)],
		['time', duration(steps.seconds.at(-1))],
		['images/s', short(last?.imagesPerSecond || steps.imagesPerSecond.at(-1))],
	];
}

/**
 * Every epoch in numbers: for those who do not see the charts, and for copying.
 *
 * @param {RunData} run
 */
export function epochTable({epochs}, title = 'Epochs in numbers') {
	if (epochs.length === 0) return undefined;
	const header = [
		'epoch',
		'step',
		'loss',
		'top-1',
		'held-out loss',
		'held-out top-1',
		'held-out top-5',
		'rate',
		'images/s',
	];
	const rows = epochs.map(({epoch, step, loss, top1, validation, learningRate, imagesPerSecond, best}) => [
		...[`${epoch}${best ? ' ★' : ''}`, whole(step), fixed(loss), percent(top1)],
		...[fixed(validation?.loss), percent(validation?.top1), percent(validation?.top5)],
		...[short(learningRate), short(imagesPerSecond)],
	]);
	return el('details', {}, el('summary', {}, title), table(header, rows, 'Means of each epoch; ★ was the best so far'));
}

/**
 * Settings, hardware and versions, a column for each run.
 *
 * @param {readonly RunData[]} runs
 */
export function configSection(runs) {
	const titles = [...new Set(runs.flatMap(({config}) => config.map(({title}) => title)))];
	const tables = titles.map((title) => {
		const groups = runs.map(({config}) => new Map(config.find((group) => group.title === title)?.facts));
		const names = [...new Set(groups.flatMap((group) => [...group.keys()]))];
		const rows = names.map((name) => {
			const values = groups.map((group) => group.get(name) ?? '–');
			const differs = values.some((value) => value !== values[0]);
			return [name, ...values.map((value) => (differs ? el('strong', {class: 'differs'}, value) : value))];
		});
		return table([title, ...runs.map(({name}) => name)], rows, title);
	});
	return section('Settings, hardware, versions', el('div', {class: 'config'}, ...tables));
}
