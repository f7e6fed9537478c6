// What editors show of an option is what the code does: its docstring begins with what the check says that it is for,
// and names the default.
import {pathToFileURL} from 'node:url';
import test from 'ava';
import ts from 'typescript';
import type {Check} from '../lib/base/check.ts';

type Module = Readonly<Record<string, {readonly checks: Readonly<Record<string, Check<unknown>>>} | undefined>>;

const {options: compilerOptions, fileNames} = ts.parseJsonConfigFileContent(
	ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config,
	ts.sys,
	process.cwd(),
);
const program = ts.createProgram(
	fileNames.filter((file) => !file.includes('/test/')),
	compilerOptions,
);
const checker = program.getTypeChecker();

/** `export const name = options<Type>()(…)` */
interface Table {
	readonly file: string;
	readonly name: string;
	readonly type: ts.TypeNode;
}

function tablesOf(source: ts.SourceFile): Table[] {
	const declarations = source.statements.flatMap((statement) =>
		ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [],
	);
	return declarations.flatMap(({name, initializer}) => {
		if (!ts.isIdentifier(name) || !initializer || !ts.isCallExpression(initializer)) return [];
		const inner = initializer.expression;
		if (!ts.isCallExpression(inner) || inner.expression.getText() !== 'options') return [];
		return (inner.typeArguments ?? []).map((type) => ({file: source.fileName, name: name.text, type}));
	});
}

const tables = program
	.getSourceFiles()
	.filter(({fileName}) => fileName.startsWith(process.cwd()) && !fileName.includes('node_modules'))
	.flatMap(tablesOf);

const docOf = (symbol: ts.Symbol): string =>
	ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s+/g, ' ');

const shown = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));

for (const {file, name, type} of tables) {
	test(`${name} and the docstrings of ${type.getText()}`, async (t) => {
		const module = (await import(pathToFileURL(file).href)) as Module;
		const checks = module[name]?.checks;
		t.truthy(checks, `${name} is exported`);
		const properties = checker.getTypeFromTypeNode(type).getProperties();
		t.deepEqual(properties.map((property) => property.name).sort(), Object.keys(checks ?? {}).sort());
		for (const property of properties) {
			const {help, default: value} = checks?.[property.name] ?? {};
			const doc = docOf(property);
			const documented = /\bDefault (\S+?)[.,;]?(?: |$)/.exec(doc)?.[1];
			t.notRegex(doc, /by default/, property.name);
			t.is(documented, value === undefined ? undefined : shown(value), `${property.name}: ${doc}`);
			const beginning = help === undefined ? '' : `${help.charAt(0).toUpperCase()}${help.slice(1)}`;
			t.true(doc.startsWith(beginning), `${property.name}: '${beginning}' does not begin '${doc}'`);
		}
	});
}

test('there are such tables, of the net and of training among them', (t) => {
	const names = tables.map(({name}) => name);
	for (const name of ['sgdOptions', 'alexNetOptions', 'trainOptions', 'imageFolderOptions'])
		t.true(names.includes(name));
});
