// The tables of docs/scaling.md are what the command tells now.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {cases, percent, withTables} from '../../scripts/scaling-tables.ts';
import {alexnet} from '../helpers/command.ts';
import {root} from '../helpers/sources.ts';

const document = readFileSync(join(root, 'docs/scaling.md'), 'utf8');

interface Told {
	strong: {ranks: number; data: {imagesPerSecond: number}; split: {imagesPerSecond: number}}[];
	weak: {ranks: number; data: {efficiency: number}; split: {efficiency: number}}[];
}

test('the tables are those of the model', async (t) => {
	t.is(await withTables(document), document, 'npx tsx scripts/scaling-tables.ts writes them anew');
});

test('the command that stands above a table prints its cells', async (t) => {
	const section = /^<!-- h100-machines:.*?-->(.*?)<!-- h100-machines end -->/ms.exec(document)?.[1] ?? '';
	const [, args = ''] = /^`npx alexnet (plan .*) --network …`$/m.exec(section) ?? [];
	const {networks} = cases['h100-machines'];
	const {code, stdout, stderr} = await alexnet([...args.split(' '), '--network', networks[1], '--json']);
	t.is(code, 0, stderr);
	const {strong, weak} = JSON.parse(stdout) as Told;
	const cellsOf = (ranks: number): (string | undefined)[] =>
		[...section.matchAll(new RegExp(`^\\| +${ranks} \\|.*$`, 'gm'))].map(([row]) => row.split('|')[3]?.trim());
	const alone = strong[0]!.data.imagesPerSecond;
	for (const ranks of [2, 8, 16, 128]) {
		const [efficient, fast] = [weak, strong].map((rows) => rows.find((row) => row.ranks === ranks));
		const {data, split} = efficient as Told['weak'][number];
		const {data: byData, split: bySplit} = fast as Told['strong'][number];
		const times = [byData, bySplit].map(({imagesPerSecond}) => (imagesPerSecond / alone).toFixed(2));
		t.deepEqual(cellsOf(ranks), [`${percent(data.efficiency)} / ${percent(split.efficiency)}`, times.join(' / ')]);
	}
});
