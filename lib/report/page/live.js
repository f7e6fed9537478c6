import {el} from './dom.js';

/** @typedef {import('./dom.js').ReportData} ReportData */
/** @typedef {import('../report-data.ts').StepColumn} StepColumn */

/**
 * Follows a run that is under way, and can stop it.
 *
 * @param {string} token
 * @param {{
 * 	add: (rows: readonly Readonly<Record<StepColumn, number>>[]) => void,
 * 	replace: (report: ReportData) => void,
 * }} page
 */
export function follow(token, {add, replace}) {
	const state = el('span', {role: 'status'}, 'connecting …');
	const stop = el('button', {type: 'button'}, 'Stop after this step and save');
	const at = (/** @type {string} */ path) => `${path}?token=${encodeURIComponent(token)}`;
	const events = new EventSource(at('events'));
	const end = (/** @type {string} */ how) => {
		events.close();
		state.textContent = how;
		stop.remove();
	};
	const load = async () => {
		const response = await fetch(at('data.json'));
		if (response.ok) replace(await response.json());
	};
	events.onopen = () => {
		state.textContent = 'training';
		// What came between the page and now.
		load().catch(() => undefined);
	};
	events.onerror = () => (state.textContent = 'not reachable; trying again …');
	events.addEventListener('steps', ({data}) => add(JSON.parse(data)));
	events.addEventListener('run', () => void load().catch(() => undefined));
	events.addEventListener('end', ({data}) => {
		load()
			.catch(() => undefined)
			.finally(() => end(String(JSON.parse(data))));
	});
	stop.addEventListener('click', () => {
		stop.disabled = true;
		fetch(at('stop'), {method: 'POST'})
			.then(({ok}) => (state.textContent = ok ? 'ending after this step …' : 'could not be stopped'))
			.catch(() => {
				stop.disabled = false;
			});
	});
	return el('div', {class: 'live'}, el('span', {class: 'dot', 'aria-hidden': 'true'}), state, stop);
}
