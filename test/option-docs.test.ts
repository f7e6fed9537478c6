// What editors and the README say of an option is what the code does: its docstring begins with what the check says that
// it is for, and names the default.
import {readFile} from 'node:fs/promises';
import test from 'ava';
import {readOptionTables, shown, splitDoc} from './helpers/option-docs.ts';
import {withOptionTables} from '../scripts/readme-options.ts';

const tables = await readOptionTables();

for (const {name, type, documented, known} of tables) {
	test(`${name} and the docstrings of ${type}`, (t) => {
		t.deepEqual(documented.map((option) => option.name).sort(), [...known].sort(), `${name} is exported, and whole`);
		for (const {name: option, doc, check} of documented) {
			const {help = '', default: value} = check ?? {};
			t.is(splitDoc(doc).value, value === undefined ? undefined : shown(value), `${option}: ${doc}`);
			t.true(doc.startsWith(`${help.charAt(0).toUpperCase()}${help.slice(1)}`), `${option}: '${help}' begins '${doc}'`);
			t.notRegex(doc, /by default/, option);
		}
	});
}

test('a docstring that says another default is told from one that says the right one', (t) => {
	t.is(splitDoc('Share. Default 0.05, as there.').value, '0.05');
	t.is(splitDoc("Place. Default 'cpu'.").value, "'cpu'");
	t.is(splitDoc('Batches. Default: the model’s.').value, undefined);
	t.is(splitDoc('Batches.').value, undefined);
});

test('the README’s tables of options are those of the code', async (t) => {
	const readme = await readFile('README.md', 'utf8');
	t.is(await withOptionTables(readme, tables), readme, 'npx tsx scripts/readme-options.ts writes them anew');
});
