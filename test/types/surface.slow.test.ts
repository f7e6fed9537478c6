// What consumers see of the package's types, from the declarations that a build writes.
import {copyFile, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {installDeclarations, problemsOf, type InstalledPackage} from '../helpers/declarations.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {surfaceOf} from '../helpers/public-surface.ts';

let folder: string;
let installed: InstalledPackage;

test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-types-'));
	installed = await installDeclarations(folder);
});
test.after.always(() => rm(folder, {recursive: true, force: true}));

test('every type that a public signature or docstring names can be imported from the same entry point, and is described', (t) => {
	t.deepEqual([...installed.entries.keys()], ['alexnet-cuda', 'alexnet-cuda/ops', 'alexnet-cuda/mpi']);
	for (const [name, entry] of installed.entries) {
		const {unexported, deadLinks, undocumented, seen} = surfaceOf(installed.root, entry);
		t.deepEqual(unexported, [], name);
		t.deepEqual(deadLinks, [], name);
		t.deepEqual(undocumented, [], name);
		t.true(seen > (name.endsWith('/mpi') ? 50 : 500), `${name}: ${seen} declarations seen`);
	}
});

test('a type that is not exported, a link that leads nowhere and an export without words are found', async (t) => {
	const root = await temporaryFolder(t);
	await writeFile(
		join(root, 'hidden.d.ts'),
		'export interface Hidden {}\nexport declare class Base {}\nexport declare const values: {};\n',
	);
	const entry = join(root, 'index.d.ts');
	const lines = [
		"import {Base, values, type Hidden} from './hidden.js';",
		'/** See {@link Hidden} and {@link other}. */',
		'export interface Shown {',
		"	option?: readonly Hidden[] | import('./hidden.js').Hidden;",
		'	/** What a {@link Shown} says. */',
		'	said: Promise<Shown>;',
		'}',
		'export declare class Child<T> extends Base {',
		'	private constructor();',
		'	private secret;',
		'	field: T;',
		'	/** Takes the key of {@link values}, see {@link method}. */',
		'	method(key: keyof typeof values, item: T): Map<string, Buffer>;',
		'}',
	];
	await writeFile(entry, lines.join('\n'));
	const {unexported, deadLinks, undocumented} = surfaceOf(root, entry);
	t.deepEqual(unexported, [
		'Base, which Child mentions',
		'Hidden, which Shown.option mentions',
		'values, which Child.method mentions',
	]);
	t.deepEqual(deadLinks, ['Hidden of Shown', 'method of Child.method', 'other of Shown', 'values of Child.method']);
	t.deepEqual(undocumented, ['Child', 'Child.field']);
});

for (const [module, moduleResolution] of [
	['nodenext', 'nodenext'],
	['esnext', 'bundler'],
] as const) {
	test(`a strict project with declarations of its own compiles against the package, resolved as ${moduleResolution} does`, async (t) => {
		const project = join(folder, moduleResolution);
		await mkdir(project);
		await copyFile(join(import.meta.dirname, 'consumer.ts'), join(project, 'index.ts'));
		// That mistakes are found, and that what only the package may call is not there.
		const mistakes = [
			"import {AlexNet} from 'alexnet-cuda';",
			"export const net: string = AlexNet.load('a.safetensors');",
			'export const {uninitialized} = AlexNet;',
		];
		await writeFile(join(project, 'mistakes.ts'), mistakes.join('\n'));
		await writeFile(join(project, 'package.json'), JSON.stringify({type: 'module'}));
		const checks = {
			strict: true,
			exactOptionalPropertyTypes: true,
			noUncheckedIndexedAccess: true,
			skipLibCheck: false,
		};
		const compilerOptions = {module, moduleResolution, target: 'es2022', declaration: true, types: ['node'], ...checks};
		const config = join(project, 'tsconfig.json');
		await writeFile(config, JSON.stringify({compilerOptions, files: ['index.ts', 'mistakes.ts']}));
		const problems = problemsOf(config);
		t.is(problems.length, 2, problems.join('\n'));
		t.regex(problems[0] ?? '', /^mistakes\.ts:2 TS2322: Type 'Promise<AlexNet>'/);
		t.regex(problems[1] ?? '', /^mistakes\.ts:3 TS2339: Property 'uninitialized' does not exist/);
	});
}
