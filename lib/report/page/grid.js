import {el} from './dom.js';
import {duration, isNumber, short} from './figures.js';

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
 * What a chart shows of runs, or of whatever else it is given.
 *
 * @template Run
 * @typedef {object} Chart
 * @property {string} title
 * @property {(runs: readonly Run[], scale: Scale) => readonly Line[]} lines
 * @property {(value: number) => string} format
 * @property {boolean} [logarithmic]
 * @property {boolean} [share] from 0 to 1
 * @property {boolean} [cut] at what a few values at the start are above
 */

export const colours = ['--blue', '--orange', '--green', '--pink', '--sky', '--red'];

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

/**
 * Charts in a grid, and the choice of what runs from left to right.
 *
 * @template Run
 */
export class ChartGrid {
	/** @type {readonly Run[]} */
	#runs;
	/** @type {Scale} */
	#scale;
	/** @type {{chart: Chart<Run>, box: HTMLElement, note: HTMLElement, plot: uPlot | undefined, shown: string}[]} */
	#charts = [];
	element = el('div', {class: 'charts'});

	/**
	 * @param {readonly Run[]} runs
	 * @param {Readonly<Record<string, Chart<Run>>>} charts
	 * @param {Scale} scale
	 */
	constructor(runs, charts, scale = 'epoch') {
		this.#runs = runs;
		this.#scale = scale;
		this.choice = this.#choose();
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

	/** @param {readonly Run[]} runs */
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
			const input = el('input', {type: 'radio', name: 'scale', value: scale, checked: scale === this.#scale});
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
 * @param {Pick<Chart<unknown>, 'format'>} chart
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
 * @param {Pick<Chart<unknown>, 'share' | 'cut'>} chart
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
 * @param {Omit<Chart<unknown>, 'lines'>} chart
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
