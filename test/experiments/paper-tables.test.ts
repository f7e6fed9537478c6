// The tables of docs/paper.md: made from numbers, in the place of those that are there.
import {readFileSync} from 'node:fs';
import test from 'ava';
import {comparisons} from '../../lib/experiments/findings.ts';
import {deviation, mean} from '../../lib/experiments/statistics.ts';
import {listExperiments} from '../../lib/index.ts';
import {tableOf, withTable, type Shown} from '../../scripts/paper-tables.ts';

type Arms = readonly (readonly [title: string, values: readonly (number | null)[], paper?: string])[];

function shown(unit: Shown['unit'], arms: Arms): Shown {
	const all = arms.map(([title, values, paper]) => {
		const numbers = values.flatMap((value) => value ?? []);
		const told = {mean: numbers.length > 0 ? mean(numbers) : undefined, deviation: deviation(numbers)};
		return {name: title, title, values, paper, ...told};
	});
	const measure = {title: 'error', unit, missing: 'diverged'};
	return {
		name: 'lrn',
		measure: 'error',
		unit,
		arms: all,
		comparisons: comparisons({measure, expected: 'lower', arms: all}),
	};
}

const rows = (table: string): string[][] => table.split('\n').map((line) => line.slice(2, -2).split(' | '));

test('a row tells the mean, the spread, and what the difference is worth', (t) => {
	const table = tableOf(
		shown('share', [
			['with', [0.1, 0.11, 0.12]],
			['without', [0.2, 0.21, 0.23], '1.4 points higher'],
			['otherwise', [0.05, 0.06, 0.07], 'higher'],
			['the same', [0.09, 0.11, 0.13]],
			['lost', [0.1, null, 0.1]],
		]),
	);
	t.deepEqual(rows(table), [
		['Measured: `lrn`', 'error', 'against the first'],
		['---', '---', '---'],
		['with', '11.0 % ± 1.0', ''],
		[
			'without',
			'21.3 % ± 1.5',
			'10.3 points higher (95 %: 8.9 to 11.8), beyond the spread, in the direction of the paper',
		],
		['otherwise', '6.0 % ± 1.0', '5.0 points lower (95 %: −5.0 to −5.0), beyond the spread, against the paper'],
		['the same', '11.0 % ± 2.0', '0.0 points lower (95 %: −2.5 to 2.5), within the spread'],
		['lost', '10.0 % ± 0.0', 'no difference can be told, as runs have no number'],
	]);
	const [, , , one] = rows(
		tableOf(
			shown('steps', [
				['relu', [100]],
				['tanh', [250]],
			]),
		),
	);
	t.deepEqual(one, ['tanh', '250 steps', '150 steps higher, 2.5 times as many, with one seed']);
});

test('the document has a table of each experiment, and each is replaced alone', (t) => {
	const document = readFileSync(new URL('../../docs/paper.md', import.meta.url), 'utf8');
	for (const {name} of listExperiments()) {
		const made = withTable(document, {...shown('share', [['new', [0.5]]]), name});
		const kept = made.split('\n').filter((line) => document.includes(`${line}\n`));
		t.is(made.split('\n').length - kept.length, 3, name); // the header, the line below it and the row
		t.true(made.includes(`Measured: \`${name}\` | error`), name);
	}
	t.throws(() => withTable('', shown('share', [])), {message: /no table of 'lrn'/});
});
