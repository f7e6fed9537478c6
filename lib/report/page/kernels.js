import {el, section} from './dom.js';
import {fixed, percent, whole} from './figures.js';

/** @typedef {import('./dom.js').RunData} RunData */
/** @typedef {RunData['kernels'][number]} Snapshot */
/** @typedef {NonNullable<Snapshot['kernels']>} Kernels */

const perRow = 8;
/** Pixels of the canvas on a side of a weight, and between kernels. */
const scale = 4;
const gap = 4;

/**
 * conv1's kernels, column beside column, and a slider through the steps.
 *
 * @param {RunData} run
 * @param {string} title
 */
export function kernelSection(run, title) {
	const snapshots = run.kernels.filter(({kernels}) => kernels);
	const [first] = snapshots;
	if (!first) return undefined;
	const pictures = first.columns.map(() => el('canvas', {role: 'img', class: 'kernels'}));
	const captions = first.columns.map(() => el('figcaption'));
	const told = el('output', {class: 'told'});
	const one = el('p', {class: 'muted', 'aria-live': 'polite'}, 'Point at a kernel to have its numbers.');
	const slider = el('input', {type: 'range', min: 0, max: snapshots.length - 1, value: snapshots.length - 1, step: 1});
	const show = () => {
		const snapshot = snapshots[Number(slider.value)] ?? first;
		const when = snapshot.epoch === 0 ? 'before the first epoch' : `after epoch ${whole(snapshot.epoch)}`;
		told.textContent = `${when} (step ${whole(snapshot.step)})`;
		slider.setAttribute('aria-valuetext', told.textContent);
		for (const [column, canvas] of pictures.entries()) {
			const {kernels = 0, colourEnergy, frequency} = snapshot.columns[column] ?? {};
			const means = `colour energy ${percent(colourEnergy)}, ${fixed(frequency, 2)} cycles per pixel on average`;
			captions[column]?.replaceChildren(el('strong', {}, `Column ${column}`), ` ${means}`);
			canvas.setAttribute('aria-label', `${kernels} kernels of column ${column} ${when}: ${means}`);
			if (snapshot.kernels) paint(canvas, snapshot.kernels, column, kernels);
			canvas.onpointermove = ({offsetX, offsetY}) => {
				const cell = (canvas.clientWidth * (canvas.width - gap)) / canvas.width / perRow;
				const place = Math.floor(offsetY / cell) * perRow + Math.min(perRow - 1, Math.floor(offsetX / cell));
				const measures = snapshot.kernels?.measures.filter((each) => each.column === column)[place];
				if (measures) one.textContent = describe(measures);
			};
		}
	};
	slider.addEventListener('input', show);
	show();
	return section(
		title,
		el(
			'p',
			{class: 'muted'},
			'Each is scaled by its own largest weight, so that grey is 0. Colour energy is the share of a kernel’s energy off ' +
				'the grey axis: 0 % of a kernel without colour, 67 % on average of noise.',
		),
		el('label', {class: 'slider'}, 'Kernels ', told, slider),
		el('div', {class: 'columns'}, ...pictures.map((picture, column) => el('figure', {}, captions[column], picture))),
		one,
	);
}

/** @param {Kernels['measures'][number]} measures */
function describe({kernel, colourEnergy, frequency, orientation}) {
	const stripes = orientation === undefined ? '' : `, stripes at ${fixed(orientation, 0)}° from the horizontal`;
	return `Kernel ${kernel}: colour energy ${percent(colourEnergy)}, ${fixed(frequency, 2)} cycles per pixel${stripes}.`;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Kernels} snapshot
 * @param {number} column
 * @param {number} count
 */
function paint(canvas, {size, pixels}, column, count) {
	const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
	const cell = size * scale + gap;
	canvas.width = perRow * cell + gap;
	canvas.height = Math.ceil(count / perRow) * cell + gap;
	const context = canvas.getContext('2d');
	if (!context) return;
	for (let kernel = 0; kernel < count; ++kernel) {
		const [left, top] = [gap + (kernel % perRow) * cell, gap + Math.floor(kernel / perRow) * cell];
		for (let pixel = 0; pixel < size * size; ++pixel) {
			const from = ((column * count + kernel) * size * size + pixel) * 3;
			context.fillStyle = `rgb(${bytes[from]} ${bytes[from + 1]} ${bytes[from + 2]})`;
			context.fillRect(left + (pixel % size) * scale, top + Math.floor(pixel / size) * scale, scale, scale);
		}
	}
}
