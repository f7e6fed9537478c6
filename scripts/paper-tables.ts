// Writes the tables of docs/paper.md that are called Measured anew, from what `alexnet experiment <name> --out
// <folder>/<name>` has left in a folder: npx tsx scripts/paper-tables.ts <folder>
import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {argv} from 'node:process';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {format, resolveConfig} from 'prettier';
import {amount, signed, told, type Comparison} from '../lib/experiments/findings.ts';
import type {ArmResult, ExperimentResult} from '../lib/experiments/result.ts';
import {listExperiments} from '../lib/index.ts';

export type Shown = Pick<ExperimentResult, 'name' | 'measure' | 'unit' | 'arms' | 'comparisons'>;

/** A row for each arm: what was measured, and how it compares with the first. */
export function tableOf({name, measure, unit, arms, comparisons}: Shown): string {
	const first = arms[0]?.mean ?? NaN;
	const rows = arms.map((arm, place) => {
		const against = place === 0 ? '' : compared(comparisons[place - 1], unit, first);
		return [`${arm.title}${arm.rate === undefined ? '' : `, rate ${arm.rate}`}`, measured(arm, unit), against];
	});
	const header = [`Measured: \`${name}\``, measure, 'against the first'];
	return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function measured({mean, deviation}: ArmResult, unit: Shown['unit']): string {
	if (mean === undefined) return 'no number';
	if (deviation === undefined) return told(mean, unit);
	return `${told(mean, unit)} ± ${signed(unit === 'share' ? deviation : Math.round(deviation), unit)}`;
}

function compared(comparison: Comparison | undefined, unit: Shown['unit'], first: number): string {
	const {verdict, difference = 0, interval, agrees} = comparison ?? {verdict: 'incomplete'};
	if (verdict === 'incomplete') return 'no difference can be told, as runs have no number';
	const times = unit === 'steps' ? `, ${(1 + difference / first).toFixed(1)} times as many` : '';
	const by = `${amount(difference, unit)} ${difference > 0 ? 'higher' : 'lower'}${times}`;
	if (!interval) return `${by}, with one seed`;
	const range = `${by} (95 %: ${signed(interval[0], unit)} to ${signed(interval[1], unit)})`;
	if (verdict === 'within') return `${range}, within the spread`;
	const paper = agrees === undefined ? '' : agrees ? ', in the direction of the paper' : ', against the paper';
	return `${range}, beyond the spread${paper}`;
}

/** @throws where the document has no table of the experiment */
export function withTable(document: string, result: Shown): string {
	const old = new RegExp(`^\\| Measured: \`${result.name}\` .*(\\n\\|.*)+`, 'm');
	if (!old.test(document)) throw new Error(`There is no table of '${result.name}'.`);
	return document.replace(old, () => tableOf(result));
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
	const [, , folder = '.'] = argv;
	const path = fileURLToPath(new URL('../docs/paper.md', import.meta.url));
	let document = await readFile(path, 'utf8');
	for (const {name} of listExperiments()) {
		const file = join(folder, name, 'experiment.json');
		if (!existsSync(file)) continue;
		const {result} = JSON.parse(await readFile(file, 'utf8')) as {result?: ExperimentResult};
		if (result) document = withTable(document, result);
	}
	await writeFile(path, await format(document, {...(await resolveConfig(path)), filepath: path}));
}
