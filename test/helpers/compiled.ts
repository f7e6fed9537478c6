// The command line as users have it, compiled: it begins in a third of the time that it takes from its sources.
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {filesBelow, root} from './sources.ts';

const build = join(root, 'build');

/** Path of the program, compiled anew where a source has changed since. A pack for a machine with a GPU brings its own. */
export function compiledProgram(): string {
	return (compiled ??= upToDate());
}

let compiled: string | undefined;

function upToDate(): string {
	if (existsSync(join(root, 'pack'))) return join(root, 'dist/cli/main.js');
	const hash = createHash('sha256');
	for (const file of ['lib', 'benchmarks', 'cli'].flatMap((folder) => filesBelow(folder, /\.[jt]s$/))) {
		const {mtimeMs, size} = statSync(join(root, file));
		hash.update(`${file} ${mtimeMs} ${size}\n`);
	}
	const name = `command-${hash.digest('hex').slice(0, 16)}`;
	const program = join(build, name, 'cli/main.js');
	if (!existsSync(program)) compileTo(name);
	return program;
}

/** Several tests may come here at once: the first to end is taken. Those of former sources are removed. */
function compileTo(name: string): void {
	const partial = mkdtempSync(join(build, 'command-partial-'));
	const quick = ['--noCheck', '--declaration', 'false', '--stripInternal', 'false'];
	const tsc = join(root, 'node_modules/typescript/bin/tsc');
	execFileSync(process.execPath, [tsc, '--project', 'tsconfig.build.json', '--outDir', partial, ...quick], {cwd: root});
	try {
		renameSync(partial, join(build, name));
	} catch (error) {
		rmSync(partial, {recursive: true});
		if (!existsSync(join(build, name))) throw error;
	}
	for (const other of readdirSync(build)) {
		const isOld = /^command-[0-9a-f]{16}$/.test(other) && other !== name;
		if (isOld) rmSync(join(build, other), {recursive: true, force: true});
	}
}
