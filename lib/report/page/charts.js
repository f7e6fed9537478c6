import {el} from './dom.js';
import {duration, isNumber, percent, short} from './figures.js';

/** @typedef {import('./dom.js').RunData} RunData */
/** @typedef {'epoch' | 'step' | 'seconds'} Scale */

/**
 * A line of a chart.
 *
 * @typedef {object} Line
 * @property {string} label
 * @property {readonly number[]} x
 * @property {readonly (number | null)[]} y
 * @property {string} colour custom property of the style sheet
 * @property {'faint' | 'solid' | 'dashed'} look
 */

/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {(runs: readonly RunData[], scale: Scale) => readonly Line[]} lines
 * @property {(value: number) => string} format
 * @property {boolean} [logarithmic]
 * @property {boolean} [share] from 0 to 1
 * @property {boolean} [cut] at what a few values at the start are above
 */

const colours = ['--blue', '--orange', '--green', '--pink', '--sky', '--red'];

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

/** @typedef {{label: string, format: (value: number) => string, steps: number[]}} ScaleLook */
/** @type {Readonly<Record<Scale, ScaleLook>>} */
const scales = {
	epoch: {label: 'epochs', format: short, steps: decimal(0.1)},
	step: {label: 'steps', format: (value) => value.toLocaleString('en-US'), steps: decimal(1)},
	seconds: {label: 'time', format: duration, steps: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, ...decimal(3600)]},
};

/**
 * Distances between ticks: 1, 2 and 5 times what is ten times as much each time.
 *
 * @param {number} least
 */
function decimal(least) {
	return Array.from({length: 21}, (_, index) => least * 10 ** Math.floor(index / 3) * ([1, 2, 5][index % 3] ?? 1));
}

/** Charts in a grid, and the choice of what runs from left to right. */
export class ChartGrid {
	/** @type {readonly RunData[]} */
	#runs = [];
	/** @type {Scale} */
	#scale = 'epoch';
	/** @type {{chart: Chart, box: HTMLElement, note: HTMLElement, plot: uPlot | undefined, shown: string}[]} */
	#charts = [];
	element = el('div', {class: 'charts'});
	choice = this.#choose();

	/** @param {readonly RunData[]} runs */
	constructor(runs) {
		this.#runs = runs;
		for (const chart of Object.values(charts)) {
			if (chart.lines(runs, this.#scale).length === 0) continue;
			const box = el('div', {class: 'plot', role: 'img'});
			const note = el('span', {class: 'muted'});
			this.element.append(el('figure', {}, el('figcaption', {}, chart.title, ' ', note), box));
			this.#charts.push({chart, box, note, plot: undefined, shown: ''});
		}
		new ResizeObserver(() => this.draw()).observe(this.element);
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw(true));
	}

	/** @param {readonly RunData[]} runs */
	update(runs) {
		this.#runs = runs;
		this.draw();
	}

	draw(isAnew = false) {
		for (const each of this.#charts) {
			const {chart, box} = each;
			const lines = chart.lines(this.#runs, this.#scale).filter(({x}) => x.length > 0);
			const tables = lines.map(({x, y}) => /** @type {uPlot.AlignedData} */ ([[...x], [...y]]));
			const data = tables.length > 0 ? uPlot.join(tables) : /** @type {uPlot.AlignedData} */ ([[]]);
			box.setAttribute('aria-label', `${chart.title}: ${lines.map((line) => inWords(line, chart)).join('; ')}.`);
			const size = {width: Math.max(200, box.clientWidth), height: 240};
			const shown = `${this.#scale} ${lines.map(({label}) => label).join()}`;
			if (each.plot && !isAnew && shown === each.shown) {
				if (each.plot.width !== size.width) each.plot.setSize(size);
				each.plot.setData(data);
			} else {
				each.plot?.destroy();
				each.plot = new uPlot({...size, ...look(chart, lines, scales[this.#scale])}, data, box);
				each.shown = shown;
			}
			const most = Math.max(...lines.flatMap(({y}) => y.filter(isNumber)));
			each.note.textContent =
				chart.cut && most > (each.plot.scales.y?.max ?? Infinity) ? `(cut; up to ${short(most)})` : '';
		}
	}

	#choose() {
		const radios = /** @type {Scale[]} */ (Object.keys(scales)).map((scale) => {
			const input = el('input', {type: 'radio', name: 'scale', value: scale, checked: scale === 'epoch'});
			input.addEventListener('change', () => {
				this.#scale = scale;
				this.draw();
			});
			return el('label', {}, input, ` ${scales[scale].label}`);
		});
		return el('fieldset', {class: 'choice'}, el('legend', {}, 'From left to right'), ...radios);
	}
}

/**
 * What a chart says to those who do not see it.
 *
 * @param {Line} line
 * @param {Chart} chart
 */
function inWords({label, y}, {format}) {
	const values = y.filter(isNumber);
	const [first = 0, last = 0] = [values[0], values.at(-1)];
	return `${label} from ${format(first)} to ${format(last)}`;
}

/**
 * Where a chart ends. A loss may begin at a hundred times what it soon is, and all that follows would be a line.
 *
 * @param {uPlot} plot
 * @param {number} most
 * @param {Pick<Chart, 'share' | 'cut'>} chart
 */
function highest(plot, most, {share, cut}) {
	if (share) return Math.min(1, most * 1.1);
	if (!cut) return most * 1.1;
	const each = plot.data.slice(1).flatMap((line) => {
		const sorted = [...line].filter(isNumber).sort((a, b) => a - b);
		// Of a few values none is left out but the largest.
		return sorted.length > 3 ? (sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0) : (sorted.at(-1) ?? 0);
	});
	const usual = Math.max(...each) * 1.2;
	return usual > 0 && usual < most / 2 ? usual : most * 1.1;
}

/** @param {string} name of a custom property */
const styled = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {Chart} chart
 * @param {readonly Line[]} lines
 * @param {ScaleLook} scale
 * @returns {Omit<uPlot.Options, 'width' | 'height'>}
 */
function look(chart, lines, scale) {
	const {format, logarithmic} = chart;
	const axis = {
		...{
			stroke: styled('--muted'),
			grid: {stroke: styled('--line'), width: 1},
			ticks: {stroke: styled('--line'), width: 1},
		},
		font: '12px system-ui, sans-serif',
	};
	/** @type {(of: (value: number) => string) => uPlot.Axis.Values} */
	const values = (of) => (_, splits) => splits.map((value) => (isNumber(value) ? of(value) : ''));
	return {
		cursor: {y: false, drag: {x: true, y: false}},
		legend: {live: true},
		scales: {
			x: {time: false},
			y: logarithmic ? {distr: 3} : {range: (plot, _, most) => [0, highest(plot, most || 1, chart)]},
		},
		axes: [
			{
				...axis,
				values: values(scale.format),
				incrs: scale.steps,
				label: scale.label,
				labelSize: 20,
				labelFont: axis.font,
			},
			{...axis, values: values(format), size: 62},
		],
		series: [
			{label: scale.label, value: (_, value) => (isNumber(value) ? scale.format(value) : '–')},
			...lines.map(({label, look: of, colour}) => ({
				...{label, stroke: styled(colour) + (of === 'faint' ? '66' : ''), width: of === 'faint' ? 1 : 2},
				...{dash: of === 'dashed' ? [6, 4] : [], spanGaps: true, ...(of === 'faint' && {points: {show: false}})},
				value: (/** @type {uPlot} */ _, /** @type {number | null} */ value) => (isNumber(value) ? format(value) : '–'),
			})),
		],
	};
}
