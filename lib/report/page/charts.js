import {percent, short} from './figures.js';
import {colours} from './grid.js';

/** @typedef {import('./dom.js').RunData} RunData */
/** @typedef {import('./grid.js').Scale} Scale */
/** @typedef {import('./grid.js').Line} Line */
/** @typedef {import('./grid.js').Chart<RunData>} Chart */

/**
 * Of one run, a colour for each line; of several, one for each run.
 *
 * @param {readonly RunData[]} runs
 * @param {number} run
 * @param {number} line
 */
function colourOf(runs, run, line) {
	return colours[(runs.length > 1 ? run : line) % colours.length] ?? '';
}

/**
 * @param {readonly RunData[]} runs
 * @param {RunData} run
 * @param {string} what
 */
const labelOf = (runs, {name}, what) => (runs.length > 1 ? `${name}, ${what}` : what);

/**
 * @param {RunData} run
 * @param {Scale} scale
 * @param {number} epoch
 */
function placeOf(run, scale, epoch) {
	if (scale === 'epoch') return epoch;
	return run.epochs.find((each) => each.epoch === epoch)?.[scale] ?? 0;
}

/**
 * Of each run the steps, where there is one run, and of the epochs what `own` and `heldOut` tell.
 *
 * @param {'loss' | 'top1'} column
 * @param {(value: number) => number} shown
 * @returns {Chart['lines']}
 */
const measure = (column, shown) => (runs, scale) =>
	runs.flatMap((run, index) => {
		const x = run.epochs.map((epoch) => epoch[scale]);
		const heldOut = run.epochs.map(({validation}) => (validation ? shown(validation[column]) : null));
		const steps = {label: run.steps.every > 1 ? `mean of ${run.steps.every} steps` : 'each step', look: 'faint'};
		/** @type {Line[]} */
		const lines = [
			{
				...{label: labelOf(runs, run, 'training'), x, y: run.epochs.map((epoch) => shown(epoch[column]))},
				...{colour: colourOf(runs, index, 0), look: 'dashed'},
			},
		];
		if (heldOut.some((value) => value !== null)) {
			const look = {colour: colourOf(runs, index, 1), look: /** @type {const} */ ('solid')};
			lines.push({label: labelOf(runs, run, 'held out'), x, y: heldOut, ...look});
		}
		if (runs.length > 1) return lines;
		const each = {x: run.steps[scale], y: run.steps[column].map(shown), colour: colourOf(runs, index, 0)};
		return [/** @type {Line} */ ({...steps, ...each}), ...lines];
	});

/**
 * @param {'learningRate' | 'imagesPerSecond'} column
 * @param {string} label
 * @returns {Chart['lines']}
 */
const ofSteps = (column, label) => (runs, scale) =>
	runs.map((run, index) => ({
		...{label: labelOf(runs, run, label), x: run.steps[scale], y: run.steps[column]},
		...{colour: colourOf(runs, index, 0), look: 'solid'},
	}));

/** @type {Chart['lines']} */
const colourEnergy = (runs, scale) =>
	runs.flatMap((run, index) => {
		const x = run.kernels.map(({epoch}) => placeOf(run, scale, epoch));
		const columns = run.kernels[0]?.columns ?? [];
		return columns.map((_, column) => ({
			...{label: labelOf(runs, run, `column ${column}`), x, colour: colourOf(runs, index, column)},
			...{look: column === 0 ? /** @type {const} */ ('solid') : /** @type {const} */ ('dashed')},
			y: run.kernels.map((each) => each.columns[column]?.colourEnergy ?? null),
		}));
	});

/** @type {Readonly<Record<string, Chart>>} */
export const charts = {
	loss: {title: 'Loss', lines: measure('loss', (value) => value), format: short, cut: true},
	error: {title: 'Top-1 error', lines: measure('top1', (value) => 1 - value), format: percent, share: true},
	rate: {title: 'Learning rate', lines: ofSteps('learningRate', 'rate'), format: short, logarithmic: true},
	speed: {title: 'Images per second', lines: ofSteps('imagesPerSecond', 'images/s'), format: short},
	colour: {title: 'Colour energy of conv1’s columns', lines: colourEnergy, format: percent, share: true},
};
