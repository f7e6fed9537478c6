import {el, section, table} from './dom.js';
import {percent, whole} from './figures.js';

/** @typedef {NonNullable<import('./dom.js').RunData['predictions']>} Predictions */
/** @typedef {Predictions['hits'][number]} Picture */

/** Classes up to which the confusions are a table that one can read; of more, the most frequent ones are listed. */
const mostInTable = 24;
const mostConfusions = 30;

/**
 * @param {Predictions} predictions
 * @param {number} label
 */
const nameOf = ({labels}, label) => labels[label] ?? `class ${label}`;

/**
 * How often a class was told for another: `counts.get(label * labels.length + told)`.
 *
 * @param {Predictions} predictions
 */
function countsOf({labels, confusion}) {
	const counts = new Map();
	for (let at = 0; at + 2 < confusion.length; at += 3) {
		counts.set((confusion[at] ?? 0) * labels.length + (confusion[at + 1] ?? 0), confusion[at + 2] ?? 0);
	}
	return /** @type {Map<number, number>} */ (counts);
}

/** @param {Predictions} predictions */
export function classSection(predictions, title = 'Classes') {
	const {labels, epoch} = predictions;
	const counts = countsOf(predictions);
	const totals = labels.map(() => 0);
	for (const [place, count] of counts) {
		const label = Math.floor(place / labels.length);
		totals[label] = (totals[label] ?? 0) + count;
	}
	const shares = labels.map((_, label) => (counts.get(label * labels.length + label) ?? 0) / (totals[label] || NaN));
	const order = labels.map((_, label) => label).sort((a, b) => (shares[a] || 0) - (shares[b] || 0));
	const rows = order.map((label) => {
		const share = shares[label];
		const bar = el('i', {'aria-hidden': 'true'});
		bar.style.width = `${(share || 0) * 5}em`;
		return [nameOf(predictions, label), whole(totals[label]), el('span', {class: 'bar'}, bar, ` ${percent(share)}`)];
	});
	return section(
		title,
		el('p', {class: 'muted'}, `Of the held-out pictures after epoch ${whole(epoch)}, the classes told worst first.`),
		el(
			'div',
			{class: 'pair'},
			table(['class', 'pictures', 'told right'], rows, 'Accuracy of each class'),
			labels.length <= mostInTable ? matrix(predictions, counts, totals) : confusions(predictions, counts, totals),
		),
	);
}

/**
 * @param {Predictions} predictions
 * @param {Map<number, number>} counts
 * @param {readonly number[]} totals
 */
function matrix(predictions, counts, totals) {
	const {labels} = predictions;
	const rows = labels.map((name, label) => [
		name,
		...labels.map((_, told) => {
			const count = counts.get(label * labels.length + told) ?? 0;
			const share = count / (totals[label] || 1);
			const cell = el(
				'span',
				{class: `cell${share > 0.5 ? ' dark' : ''}${label === told ? ' right' : ''}`},
				whole(count),
			);
			cell.style.setProperty('--share', `${Math.round(share * 100)}%`);
			return cell;
		}),
	]);
	const box = table(
		['class', ...labels],
		rows,
		'Confusion matrix: a row for what a picture shows, a column for what it was taken for',
	);
	box.classList.add('matrix');
	return box;
}

/**
 * @param {Predictions} predictions
 * @param {Map<number, number>} counts
 * @param {readonly number[]} totals
 */
function confusions(predictions, counts, totals) {
	const {labels} = predictions;
	const all = [...counts].map(([place, count]) => {
		const [label, told] = [Math.floor(place / labels.length), place % labels.length];
		return {label, told, count};
	});
	const wrong = all.filter(({label, told}) => label !== told).sort((a, b) => b.count - a.count);
	const rows = wrong
		.slice(0, mostConfusions)
		.map(({label, told, count}) => [
			...[nameOf(predictions, label), nameOf(predictions, told), whole(count), percent(count / (totals[label] || NaN))],
		]);
	return table(['class', 'taken for', 'pictures', 'share'], rows, 'The most frequent confusions');
}

/** @param {Predictions} predictions */
export function pictureSections(predictions, suffix = '') {
	const {mistakes, hits} = predictions;
	return [
		pictureSection(`Most certain mistakes${suffix}`, 'The net was sure, and wrong.', mistakes, predictions),
		pictureSection(`Most certain hits${suffix}`, 'The net was sure, and right.', hits, predictions),
	];
}

/**
 * @param {string} title
 * @param {string} about
 * @param {readonly Picture[]} pictures
 * @param {Predictions} predictions
 */
function pictureSection(title, about, pictures, predictions) {
	if (pictures.length === 0) return undefined;
	const figures = pictures.map(({label, top, name = 'picture', thumbnail}) => {
		const [shows, told] = [nameOf(predictions, label), nameOf(predictions, top[0]?.label ?? NaN)];
		const isRight = label === top[0]?.label;
		const alt = `${name}, which shows ${shows}`;
		const others = top.map((each) => `${nameOf(predictions, each.label)} ${percent(each.probability)}`).join(', ');
		const told_ = `${told} ${percent(top[0]?.probability)}`;
		return el(
			'figure',
			{class: 'picture', title: `${name}: ${others}`},
			thumbnail === undefined
				? el('div', {class: 'missing', role: 'img', 'aria-label': alt}, name)
				: el('img', {src: `data:image/jpeg;base64,${thumbnail}`, alt, width: 96, height: 96, loading: 'lazy'}),
			isRight
				? el('figcaption', {}, told_)
				: el('figcaption', {}, el('span', {class: 'wrong'}, told_), el('br'), `is ${shows}`),
		);
	});
	return section(title, el('p', {class: 'muted'}, about), el('div', {class: 'pictures'}, ...figures));
}
