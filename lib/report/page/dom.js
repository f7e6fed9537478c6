/** @typedef {import('../report-data.ts').ReportData} ReportData */
/** @typedef {import('../report-data.ts').RunData} RunData */

/**
 * An element. Text goes in as text, so that no name can become markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | number | boolean | undefined>>} attributes
 * @param {...(Node | string | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
	}
	element.append(...children.filter((child) => child !== undefined));
	return element;
}

/**
 * A part of the page, under its heading.
 *
 * @param {string} title
 * @param {...(Node | string | undefined)} children
 */
export function section(title, ...children) {
	return el('section', {}, el('h2', {}, title), ...children);
}

/**
 * A table, whose first column names the rows.
 *
 * @param {readonly string[]} header
 * @param {readonly (readonly (string | Node)[])[]} rows
 * @param {string} caption
 */
export function table(header, rows, caption) {
	const cells = (/** @type {readonly (string | Node)[]} */ row) =>
		row.map((cell, column) => (column === 0 ? el('th', {scope: 'row'}, cell) : el('td', {}, cell)));
	return el(
		'div',
		{class: 'scrolls', tabindex: 0, role: 'region', 'aria-label': caption},
		el(
			'table',
			{},
			el('caption', {}, caption),
			el('thead', {}, el('tr', {}, ...header.map((name) => el('th', {scope: 'col'}, name)))),
			el('tbody', {}, ...rows.map((row) => el('tr', {}, ...cells(row)))),
		),
	);
}
