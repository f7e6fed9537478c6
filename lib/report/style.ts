/** The page's styles: in a module, so that the compiler alone puts the package together. */
export const style = `
:root {
	--paper: #ffffff;
	--card: #f5f7f9;
	--ink: #1b1f24;
	--muted: #58626e;
	--line: #d9dfe5;
	--blue: #0072b2;
	--orange: #d55e00;
	--green: #00805c;
	--pink: #b0528c;
	--sky: #3a8fc4;
	--red: #8a5a00;
	--strong: #0072b2;
	--on-strong: #ffffff;
	font:
		16px/1.5 system-ui,
		sans-serif;
	color: var(--ink);
	background: var(--paper);
}
@media (prefers-color-scheme: dark) {
	:root {
		--paper: #12161b;
		--card: #1b2128;
		--ink: #e7eaee;
		--muted: #a0abb8;
		--line: #323b46;
		--blue: #56b4e9;
		--orange: #f0a33a;
		--green: #3cc9a0;
		--pink: #e6a3cb;
		--sky: #a5d4f2;
		--red: #e8d24a;
		--strong: #56b4e9;
		--on-strong: #0c1116;
	}
}
body {
	margin: 0;
}
main {
	max-width: 1240px;
	margin: 0 auto;
	padding: 16px clamp(12px, 3vw, 32px) 48px;
}
h1 {
	font-size: 1.6rem;
	margin: 0.4em 0;
	overflow-wrap: anywhere;
}
h1 em {
	font-style: normal;
	color: var(--strong);
}
h2 {
	font-size: 1.2rem;
	margin: 1.8em 0 0.4em;
	overflow-wrap: anywhere;
}
p {
	margin: 0.3em 0 0.8em;
	max-width: 75ch;
}
figure {
	margin: 0;
	min-width: 0;
}
.muted,
caption,
footer {
	color: var(--muted);
	font-size: 0.9rem;
}
.tiles {
	display: grid;
	grid-template-columns: repeat(auto-fill, minmax(165px, 1fr));
	gap: 10px;
	margin: 12px 0;
}
.tiles div {
	background: var(--card);
	border: 1px solid var(--line);
	border-radius: 8px;
	padding: 8px 12px;
}
dt {
	color: var(--muted);
	font-size: 0.8rem;
}
dd {
	margin: 0;
	font-size: 1.1rem;
	font-variant-numeric: tabular-nums;
}
.choice {
	border: 0;
	padding: 0;
	margin: 0 0 8px;
	display: flex;
	gap: 14px;
	flex-wrap: wrap;
	align-items: center;
	font-size: 0.9rem;
}
.choice legend {
	float: left;
	color: var(--muted);
	padding: 0;
	margin-right: 4px;
}
.charts,
.pair,
.columns {
	display: grid;
	gap: 16px;
	grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr));
	align-items: start;
}
.charts > figure {
	background: var(--card);
	border: 1px solid var(--line);
	border-radius: 8px;
	padding: 10px;
}
figcaption {
	font-size: 0.9rem;
	margin-bottom: 4px;
}
.charts figcaption {
	font-weight: 600;
}
.plot {
	min-height: 290px;
}
.u-legend th,
.u-legend td {
	border: 0;
	text-align: left;
	padding: 2px 4px;
}
.u-legend {
	color: var(--ink);
	font-size: 12px;
	text-align: left;
	font-variant-numeric: tabular-nums;
}
.slider {
	display: block;
	margin: 8px 0;
}
.slider input {
	display: block;
	width: min(100%, 600px);
	margin: 8px 0;
	accent-color: var(--strong);
}
.told {
	font-weight: 600;
}
.kernels {
	width: 100%;
	max-width: 560px;
	height: auto;
	image-rendering: pixelated;
	border: 1px solid var(--line);
	border-radius: 4px;
	box-sizing: border-box;
	background: var(--card);
}
.scrolls {
	overflow: auto;
	max-height: 560px;
	border: 1px solid var(--line);
	border-radius: 8px;
	min-width: 0;
}
table {
	border-collapse: collapse;
	width: 100%;
	font-size: 0.88rem;
	font-variant-numeric: tabular-nums;
}
caption {
	text-align: left;
	padding: 8px 10px;
}
th,
td {
	padding: 4px 10px;
	text-align: right;
	border-top: 1px solid var(--line);
	font-weight: 400;
}
th:first-child {
	text-align: left;
	overflow-wrap: anywhere;
	min-width: 5em;
}
thead th {
	color: var(--muted);
	font-weight: 600;
}
td {
	overflow-wrap: anywhere;
}
.bar {
	white-space: nowrap;
}
.bar i {
	display: inline-block;
	height: 0.7em;
	border-radius: 2px;
	background: var(--strong);
	margin-right: 6px;
}
.matrix table {
	width: auto;
}
.matrix td {
	padding: 1px;
}
.matrix thead th:not(:first-child) {
	writing-mode: vertical-rl;
	rotate: 180deg;
	text-align: left;
	border: 0;
	max-height: 11em;
	padding: 10px 4px 4px;
	vertical-align: middle;
}
.config {
	columns: 2 380px;
	column-gap: 16px;
}
.config .scrolls {
	max-height: none;
	break-inside: avoid;
	margin-bottom: 16px;
}
.config th:first-child {
	min-width: 11em;
	overflow-wrap: break-word;
}
.config caption {
	display: none;
}
.config thead th {
	border: 0;
}
.cell {
	display: block;
	min-width: 2.4em;
	padding: 4px 6px;
	text-align: center;
	border-radius: 4px;
	background: color-mix(in srgb, var(--strong) var(--share), transparent);
}
.cell.dark {
	color: var(--on-strong);
}
.cell.right {
	outline: 2px solid var(--strong);
	outline-offset: -2px;
}
.pictures {
	display: grid;
	grid-template-columns: repeat(auto-fill, minmax(104px, 1fr));
	gap: 12px;
}
.picture img,
.missing {
	width: 100%;
	height: auto;
	aspect-ratio: 1;
	display: block;
	border-radius: 6px;
	background: var(--card);
	overflow: hidden;
	font-size: 0.75rem;
}
.picture figcaption {
	font-size: 0.8rem;
	line-height: 1.35;
	margin-top: 4px;
	overflow-wrap: anywhere;
}
.wrong {
	text-decoration: line-through;
}
.differs {
	color: var(--orange);
}
details {
	margin: 1.6em 0;
}
summary {
	font-size: 1.1rem;
	font-weight: 600;
	cursor: pointer;
	margin-bottom: 6px;
}
.live {
	display: flex;
	gap: 10px;
	align-items: center;
	flex-wrap: wrap;
}
.dot {
	width: 10px;
	height: 10px;
	border-radius: 50%;
	background: var(--green);
}
button {
	font: inherit;
	padding: 6px 14px;
	border-radius: 8px;
	border: 1px solid var(--strong);
	background: transparent;
	color: var(--strong);
	cursor: pointer;
}
:focus-visible {
	outline: 3px solid var(--strong);
	outline-offset: 2px;
}
footer {
	margin-top: 2em;
}
`;
