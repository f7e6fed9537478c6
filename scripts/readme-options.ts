// Writes the README's tables of options anew, from the docstrings: npx tsx scripts/readme-options.ts
import {readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {format, resolveConfig} from 'prettier';
import {readOptionTables, shown, splitDoc, type OptionTable} from '../test/helpers/option-docs.ts';

/** Whose options the README tells, and how each is called there. */
const told = {
	alexNetOptions: 'AlexNet.create',
	trainOptions: 'model.train',
	classifyOptions: 'model.classify',
	imageFolderOptions: 'ImageFolder.open',
	prepareOptions: 'preparePictures',
};

const [begin, end] = ['<!-- options: scripts/readme-options.ts writes them -->', '<!-- options end -->'];

export async function withOptionTables(readme: string, tables: readonly OptionTable[]): Promise<string> {
	const [before = '', rest = ''] = readme.split(begin);
	const [, after] = rest.split(end);
	if (after === undefined) throw new Error(`README.md has no '${begin}' before '${end}'.`);
	const sections = Object.entries(told).map(([name, call]) => {
		const table = tables.find((each) => each.name === name);
		if (!table) throw new Error(`There are no ${name}.`);
		return markdown(call, table);
	});
	const text = [before.trimEnd(), begin, ...sections, end, after.trimStart()].join('\n\n');
	return format(text, {...(await resolveConfig('README.md')), parser: 'markdown'});
}

const code = (text: string): string => `\`${text}\``;

function markdown(call: string, {documented}: OptionTable): string {
	const rows = documented.map(({name, doc, check}) => {
		const {text, value, default: said} = splitDoc(doc);
		const others = (check?.known ?? []).map(shown).filter((each) => each !== value);
		const byDefault = value === undefined ? said : said.replace(value, () => code(value));
		return [code(name), byDefault, others.map(code).join(', '), text];
	});
	const lines = [[code(call), 'default', 'others', ''], Array<string>(4).fill('---'), ...rows];
	return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const readme = await readFile('README.md', 'utf8');
	await writeFile('README.md', await withOptionTables(readme, await readOptionTables()));
}
