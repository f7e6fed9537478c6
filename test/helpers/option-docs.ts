// What the library says of its options: the docstrings that editors show, beside the checks that the code goes by.
import {pathToFileURL} from 'node:url';
import ts from 'typescript';
import type {Check} from '../../lib/base/check.ts';

export interface DocumentedOption {
	readonly name: string;
	/** In one line. */
	readonly doc: string;
	readonly check: Check<unknown> | undefined;
}

/** `export const name = options<Type>()(…)` */
export interface OptionTable {
	readonly name: string;
	readonly type: string;
	/** As the type has them. */
	readonly documented: readonly DocumentedOption[];
	/** As the code has them. */
	readonly known: readonly string[];
}

type Module = Readonly<Record<string, {readonly checks: Readonly<Record<string, Check<unknown>>>} | undefined>>;

export async function readOptionTables(): Promise<readonly OptionTable[]> {
	const {config} = ts.readConfigFile('tsconfig.build.json', (path) => ts.sys.readFile(path)) as {config: unknown};
	const {options, fileNames} = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd());
	const program = ts.createProgram(fileNames, options);
	const checker = program.getTypeChecker();
	const sources = program.getSourceFiles().filter(({fileName}) => fileNames.includes(fileName));
	const found = sources.flatMap((source) => tablesIn(source).map((table) => ({...table, file: source.fileName})));
	return Promise.all(
		found.map(async ({name, type, file}) => {
			const {[name]: value} = (await import(pathToFileURL(file).href)) as Module;
			const documented = checker.getTypeFromTypeNode(type).getProperties();
			return {
				name,
				type: type.getText(),
				documented: documented.map((property) => ({
					name: property.name,
					doc: ts
						.displayPartsToString(property.getDocumentationComment(checker))
						.replaceAll(/\s+/g, ' ')
						.replaceAll(/\{@link (\w+)\}/g, '$1'),
					check: value?.checks[property.name],
				})),
				known: Object.keys(value?.checks ?? {}),
			};
		}),
	);
}

function tablesIn({statements}: ts.SourceFile): {name: string; type: ts.TypeNode}[] {
	const declarations = statements.flatMap((each) =>
		ts.isVariableStatement(each) ? [...each.declarationList.declarations] : [],
	);
	return declarations.flatMap(({name, initializer}) => {
		if (!initializer || !ts.isCallExpression(initializer) || !ts.isCallExpression(initializer.expression)) return [];
		const {expression, typeArguments = []} = initializer.expression;
		return expression.getText() === 'options' ? typeArguments.map((type) => ({name: name.getText(), type})) : [];
	});
}

/** As docstrings and the README write it. */
export const shown = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));

/** A docstring before and after the word "Default"; what follows a colon is no value. */
export function splitDoc(doc: string): {text: string; value?: string; default: string} {
	const [, text = doc, colon, rest = ''] = /^(.*?) ?\bDefault(:?) (.*?)\.?$/.exec(doc) ?? [];
	const value = /^(\S+?)[.,;]?(?: |$)/.exec(rest)?.[1];
	return {text, default: rest, ...(colon === '' && value !== undefined && {value})};
}
