// Writes the tables of docs/scaling.md anew, from what `alexnet plan` tells: npx tsx scripts/scaling-tables.ts
import {readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {format, resolveConfig} from 'prettier';
import {toldPlan, type PlanCommandOptions} from '../cli/commands/plan.ts';
import {filled} from '../lib/base/check.ts';
import type {Network} from '../lib/scaling/links.ts';
import {planOptions, type PlanOptions} from '../lib/scaling/options.ts';
import type {PlannedRow} from '../lib/scaling/plan.ts';

type Given = PlanOptions & Partial<Pick<PlanCommandOptions, 'device' | 'stepMs'>>;

interface Case {
	/** The name of its place in the document. */
	readonly name: string;
	readonly given: Given;
	readonly networks: readonly Network[];
}

const all = ['10GbE', '25GbE', '100GbE', 'HDR', 'NDR', 'NVLink4'] as const;
const h100 = {device: 'H100', precision: 'bf16', path: 'gpu', ranks: 256} as const;
const t4 = {device: 'T4', batchSize: 256, ranks: 256} as const;

export const cases: readonly Case[] = [
	{name: 'h100', given: h100, networks: all},
	{name: 'h100-large', given: {...h100, batchSize: 1024, wire: 'bf16'}, networks: all},
	{name: 'h100-machines', given: {...h100, perNode: 8}, networks: ['25GbE', '100GbE', 'HDR', 'NDR']},
	{name: 't4', given: {...t4, path: 'gpu'}, networks: ['10GbE', '25GbE', '100GbE', 'HDR']},
	{name: 'host', given: t4, networks: ['10GbE', 'HDR']},
	{name: 'cpu', given: {stepMs: '1690', path: 'cpu', overlap: false, ranks: 256}, networks: ['10GbE', '25GbE']},
];

/** The command line that tells the same of one network. */
function commandOf({given}: Case): string {
	const flags = Object.entries(given).map(([name, value]) => {
		if (value === false) return `--no-${name}`;
		return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${value}`;
	});
	return `npx alexnet plan ${flags.join(' ')} --network …`;
}

/** The tables of a case, in Markdown. */
export function tablesOf(each: Case): string {
	const plans = each.networks.map((network) => {
		const {device = 'H100', stepMs, ...given} = each.given;
		return toldPlan({...filled(planOptions, {...given, network}), device, stepMs}).plan;
	});
	const scaling = (which: 'strong' | 'weak', cell: (row: PlannedRow, alone: PlannedRow) => string): string => {
		const [first] = plans;
		const rows = first?.[which].map(({ranks}, place) => {
			return [String(ranks), ...plans.map(({[which]: own}) => cell(own[place]!, own[0]!))];
		});
		const lines = [['ranks', ...each.networks], ['---:', ...each.networks.map(() => '---:')], ...(rows ?? []).slice(1)];
		return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
	};
	const {batchSize = planOptions.checks.batchSize.default} = each.given;
	return [
		`\`${commandOf(each)}\``,
		`Weak scaling, ${batchSize} pictures a rank: efficiency by data / of the split, in percent.`,
		scaling('weak', ({data, split}) => `${percent(data.efficiency)} / ${percent(split.efficiency)}`),
		`Strong scaling, ${batchSize} pictures in all: images a second by data / of the split, by those of one rank.`,
		scaling('strong', ({data, split}, alone) => {
			const times = (imagesPerSecond: number): string => (imagesPerSecond / alone.data.imagesPerSecond).toFixed(2);
			return `${times(data.imagesPerSecond)} / ${times(split.imagesPerSecond)}`;
		}),
	].join('\n\n');
}

const percent = (share: number): string => (share * 100).toFixed(share < 0.1 ? 1 : 0);

/** The document with its tables as they are now. */
export async function withTables(text: string): Promise<string> {
	for (const each of cases) {
		const [begin, end] = [`<!-- ${each.name}: scripts/scaling-tables.ts writes it -->`, `<!-- ${each.name} end -->`];
		const [from, to] = [text.indexOf(begin), text.indexOf(end)];
		if (from < 0 || to < from) throw new Error(`docs/scaling.md has no '${begin}' before '${end}'.`);
		text = `${text.slice(0, from + begin.length)}\n\n${tablesOf(each)}\n\n${text.slice(to)}`;
	}
	return format(text, {...(await resolveConfig('docs/scaling.md')), parser: 'markdown'});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	await writeFile('docs/scaling.md', await withTables(await readFile('docs/scaling.md', 'utf8')));
}
