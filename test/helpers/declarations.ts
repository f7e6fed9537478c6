// The package's type declarations as a build writes them, in a package folder as npm installs it.
import {mkdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import ts from 'typescript';
import {packageRoot} from '../../lib/base/package.ts';

interface Manifest {
	name: string;
	exports: Record<string, string | {types: string}>;
	dependencies: Record<string, string>;
}

export interface InstalledPackage {
	/** Where the package is installed: `<folder>/node_modules/<name>`. */
	root: string;
	/** By what a consumer imports: the declarations of each entry point. */
	entries: ReadonlyMap<string, string>;
}

/** Lays the package's declarations and manifest, and what it depends on, into `folder`/node_modules. */
export async function installDeclarations(folder: string): Promise<InstalledPackage> {
	const manifest = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')) as Manifest;
	const modules = join(folder, 'node_modules');
	const root = join(modules, manifest.name);
	await mkdir(root, {recursive: true});
	await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
	for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
		await mkdir(dirname(join(modules, name)), {recursive: true});
		await symlink(join(packageRoot(), 'node_modules', name), join(modules, name));
	}
	emitDeclarations(join(root, 'dist'));
	const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
		typeof target === 'string' ? [] : [[join(manifest.name, path), join(root, target.types)] as const],
	);
	return {root, entries: new Map(entries)};
}

function emitDeclarations(outDir: string): void {
	const options = {outDir, emitDeclarationOnly: true, sourceMap: false};
	const {program, problems} = projectProgram(join(packageRoot(), 'tsconfig.build.json'), options);
	const {diagnostics} = program.emit();
	const found = [...problems, ...inWords(diagnostics, packageRoot())];
	if (found.length > 0) throw new Error(found.join('\n'));
}

/** A project's program, and what is wrong with its configuration. */
function projectProgram(path: string, options: ts.CompilerOptions): {program: ts.Program; problems: string[]} {
	const folder = dirname(path);
	const {config, error} = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as {
		config: unknown;
		error?: ts.Diagnostic;
	};
	const {fileNames, options: own, errors} = ts.parseJsonConfigFileContent(config, ts.sys, folder, options, path);
	return {program: ts.createProgram(fileNames, own), problems: inWords([...(error ? [error] : []), ...errors], folder)};
}

/**
 * What the compiler finds wrong with a project and the packages installed beside it, a line each: "index.ts:3 TS2742: The
 * inferred type …". What those packages depend on is linked to, and not looked at.
 */
export function problemsOf(path: string): string[] {
	const {program, problems} = projectProgram(path, {});
	const beside = dirname(dirname(path));
	const files = program.getSourceFiles().filter(({fileName}) => fileName.startsWith(beside));
	const diagnostics = files.flatMap((file) => [
		...program.getSyntacticDiagnostics(file),
		...program.getSemanticDiagnostics(file),
		...(file.isDeclarationFile ? [] : program.getDeclarationDiagnostics(file)),
	]);
	return [...problems, ...inWords([...program.getGlobalDiagnostics(), ...diagnostics], dirname(path))];
}

function inWords(diagnostics: readonly ts.Diagnostic[], folder: string): string[] {
	return diagnostics.map(({file, start, code, messageText}) => {
		const line = file && start !== undefined ? `:${file.getLineAndCharacterOfPosition(start).line + 1}` : '';
		const place = file ? `${relative(folder, file.fileName)}${line} ` : '';
		return `${place}TS${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
	});
}
