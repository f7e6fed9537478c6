// The page as one HTML file: styles, scripts and data are in it, so that it opens without a network.
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {once} from '../base/once.ts';
import type {ExperimentData} from './experiment-data.ts';
import type {ReportData} from './report-data.ts';
import {style} from './style.ts';

/** A page's scripts, in the order in which they need each other. */
type Scripts = 'report' | 'experiment';
const scriptsOf: Readonly<Record<Scripts, readonly string[]>> = {
	report: ['dom', 'figures', 'grid', 'charts', 'kernels', 'classes', 'tables', 'live', 'main'],
	experiment: ['dom', 'figures', 'grid', 'experiment'],
};

interface Parts {
	readonly style: string;
	/** uPlot: 51 KB, MIT, no dependencies. Chart.js has 210 KB and no better looks; Observable Plot needs d3, 490 KB. */
	readonly plotting: string;
	readonly licence: string;
	readonly scripts: Readonly<Record<Scripts, string>>;
}

const parts = once(async (): Promise<Parts> => {
	const require = createRequire(import.meta.url);
	const uplot = dirname(require.resolve('uplot/package.json'));
	const text = async (path: string): Promise<string> => readFile(path, 'utf8');
	const own = async (name: string): Promise<string> => text(join(import.meta.dirname, 'page', name));
	const script = async (of: Scripts): Promise<string> =>
		joined(await Promise.all(scriptsOf[of].map(async (name) => own(`${name}.js`))));
	return {
		style: (await text(join(uplot, 'dist/uPlot.min.css'))) + style,
		plotting: await text(join(uplot, 'dist/uPlot.iife.min.js')),
		licence: await text(join(uplot, 'LICENSE')),
		scripts: {report: await script('report'), experiment: await script('experiment')},
	};
});

/** Modules that share one script: what they import stands above, and what they export needs no more than its name. */
export function joined(modules: readonly string[]): string {
	const fallsAway = /^import [^;]*;\n|^export (?!\{)|^\/\/# sourceMappingURL=.*$/gm;
	return modules.map((each) => each.replaceAll(fallsAway, '')).join('\n');
}

export interface Page {
	readonly html: string;
	/** The value of a Content-Security-Policy: nothing runs but the page's own scripts. */
	readonly policy: string;
}

export async function pageOf(data: ReportData): Promise<Page> {
	return page('report', data, data.runs.map(({name}) => name).join(', '), data.live ? "'self'" : "'none'");
}

/** The page of an experiment. */
export async function experimentPageOf(data: ExperimentData): Promise<Page> {
	return page('experiment', data, `Experiment ${data.name}`, "'none'");
}

async function page(of: Scripts, data: object, name: string, connects: string): Promise<Page> {
	const {style, plotting, licence, scripts} = await parts();
	const script = scripts[of];
	const hashes = [plotting, script].map((each) => `'sha256-${createHash('sha256').update(each).digest('base64')}'`);
	const policy = [
		...["default-src 'none'", `script-src ${hashes.join(' ')}`, "style-src 'unsafe-inline'", 'img-src data:'],
		...[`connect-src ${connects}`, "base-uri 'none'", "form-action 'none'"],
	].join('; ');
	const title = `${name} · alexnet-cuda`;
	const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<!-- uPlot, which draws the charts:
${licence.replaceAll('--', '- -')}-->
</head>
<body>
<main id="report"><noscript>This report is drawn by its scripts, which are switched off here.</noscript></main>
<script type="application/json" id="data">${inScript(data)}</script>
<script>${plotting}</script>
<script type="module">${script}</script>
</body>
</html>
`;
	return {html, policy};
}

/** As HTML's text and attributes have it. */
function escaped(text: string): string {
	const entities: Readonly<Record<string, string>> = {
		'&': '&amp;',
		'<': '&lt;',
		'>': '&gt;',
		'"': '&quot;',
		"'": '&#39;',
	};
	return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** JSON that ends no script and begins no comment, whatever names are in it. NaN and infinities are null. */
function inScript(data: object): string {
	return JSON.stringify(data).replaceAll('<', '\\u003c');
}
