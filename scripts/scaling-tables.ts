// Writes the tables of docs/scaling.md anew, from what `alexnet plan` tells: npx tsx scripts/scaling-tables.ts
import {readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {format, resolveConfig} from 'prettier';
import {toldPlan, type PlanCommandOptions} from '../cli/commands/plan.ts';
import {filled} from '../lib/base/check.ts';
import type {Network} from '../lib/scaling/links.ts';
import {planOptions, type PlanOptions} from '../lib/scaling/options.ts';
import type {Plan, PlannedRow} from '../lib/scaling/plan.ts';

type Given = PlanOptions & Partial<Pick<PlanCommandOptions, 'device' | 'stepMs'>>;

/** Plans that differ in the network. */
interface Case {
	readonly given: Given;
	readonly networks: readonly Network[];
}

const all = ['10GbE', '25GbE', '100GbE', 'HDR', 'NDR', 'NVLink4'] as const;
const h100 = {device: 'H100', precision: 'bf16', path: 'gpu', ranks: 256} as const;
const t4 = {device: 'T4', batchSize: 256, ranks: 256} as const;

export const cases = {
	h100: {given: h100, networks: all},
	'h100-large': {given: {...h100, batchSize: 1024, wire: 'bf16'}, networks: all},
	'h100-machines': {given: {...h100, perNode: 8}, networks: ['25GbE', '100GbE', 'HDR', 'NDR']},
	t4: {given: {...t4, path: 'gpu'}, networks: ['10GbE', '25GbE', '100GbE', 'HDR']},
	host: {given: t4, networks: ['10GbE', 'HDR']},
	cpu: {given: {stepMs: '1690', path: 'cpu', overlap: false, ranks: 256}, networks: ['10GbE', '25GbE']},
} as const satisfies Readonly<Record<string, Case>>;

/** What stands between marks in the document, by its name. */
const regions: Readonly<Record<string, () => string>> = {
	gradients: gradientTable,
	bytes: bytesTable,
	...Object.fromEntries(Object.entries(cases).map(([name, each]) => [name, () => scalingTables(each)])),
};

function planWith({device = 'H100', stepMs, ...given}: Given): Plan {
	return toldPlan({...filled(planOptions, given), device, stepMs}).plan;
}

function commandOf(given: Given): string {
	const flags = Object.entries(given).map(([name, value]) => {
		if (value === false) return `--no-${name}`;
		return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${String(value)}`;
	});
	return `npx alexnet plan ${flags.join(' ')}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
	const lines = [header, header.map(() => '---:'), ...rows];
	return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Adding up all gradients, where nothing else goes on. */
function gradientTable(): string {
	const counts = [2, 16, 256];
	const cells = (wire: 'fp32' | 'bf16', network: Network): string[] => {
		const {weak} = planWith({...h100, wire, network});
		const rows = counts.map((ranks) => weak.find((row) => row.ranks === ranks));
		return rows.map((row) => row?.data.exchangeMs.toPrecision(3) ?? '');
	};
	const header = [
		'network',
		...(['fp32', 'bf16'] as const).flatMap((wire) => counts.map((count) => `${wire}, ${count}`)),
	];
	const rows = all.map((network) => [network, ...cells('fp32', network), ...cells('bf16', network)]);
	return [`\`${commandOf(h100)} --wire … --network … --json\`, \`exchangeMs\`:`, table(header, rows)].join('\n\n');
}

/** What a rank sends in a step. */
function bytesTable(): string {
	const given = (['fp32', 'bf16'] as const).map((type) => planWith({...h100, precision: type, wire: type}));
	const columns = (['strong', 'weak'] as const).flatMap((which) => given.map(({[which]: rows}) => rows));
	const rows = (given[0]?.weak ?? []).slice(1).map(({ranks}) => [
		String(ranks),
		...columns.map((own) => {
			const row = own.find((each) => each.ranks === ranks);
			return row ? `${row.data.megabytesSent.toFixed(0)} / ${row.split.megabytesSent.toFixed(0)}` : '-';
		}),
	]);
	const header = ['ranks', 'strong, fp32', 'strong, bf16', 'weak, fp32', 'weak, bf16'];
	return [
		`\`${commandOf({...h100, precision: 'fp32'})}\`, and with \`--precision bf16 --wire bf16\`: MB by data / of the split.`,
		table(header, rows),
	].join('\n\n');
}

function scalingTables({given, networks}: Case): string {
	const plans = networks.map((network) => planWith({...given, network}));
	const scaling = (which: 'strong' | 'weak', cell: (row: PlannedRow, alone: PlannedRow) => string): string => {
		const rows = plans[0]?.[which].map(({ranks}, place) => {
			const cells = plans.map(({[which]: own}) => {
				const [row, alone] = [own[place], own[0]];
				return row && alone ? cell(row, alone) : '';
			});
			return [String(ranks), ...cells];
		});
		return table(['ranks', ...networks], rows?.slice(1) ?? []);
	};
	const {batchSize = planOptions.checks.batchSize.default} = given;
	return [
		`\`${commandOf(given)} --network …\``,
		`Weak scaling, ${batchSize} pictures a rank: efficiency by data / of the split, in percent.`,
		scaling('weak', ({data, split}) => `${percent(data.efficiency)} / ${percent(split.efficiency)}`),
		`Strong scaling, ${batchSize} pictures in all: images a second by data / of the split, by those of one rank.`,
		scaling('strong', ({data, split}, alone) => {
			const times = (imagesPerSecond: number): string => (imagesPerSecond / alone.data.imagesPerSecond).toFixed(2);
			return `${times(data.imagesPerSecond)} / ${times(split.imagesPerSecond)}`;
		}),
	].join('\n\n');
}

export const percent = (share: number): string => (share * 100).toFixed(share < 0.1 ? 1 : 0);

/** The document with its tables as they are now. */
export async function withTables(document: string): Promise<string> {
	let text = document;
	for (const [name, write] of Object.entries(regions)) {
		const [begin, end] = [`<!-- ${name}: scripts/scaling-tables.ts writes it -->`, `<!-- ${name} end -->`];
		const [from, to] = [text.indexOf(begin), text.indexOf(end)];
		if (from < 0 || to < from) throw new Error(`docs/scaling.md has no '${begin}' before '${end}'.`);
		text = `${text.slice(0, from + begin.length)}\n\n${write()}\n\n${text.slice(to)}`;
	}
	return format(text, {...(await resolveConfig('docs/scaling.md')), parser: 'markdown'});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	await writeFile('docs/scaling.md', await withTables(await readFile('docs/scaling.md', 'utf8')));
}
