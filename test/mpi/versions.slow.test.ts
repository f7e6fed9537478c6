// Ranks of which one has another version of the package end, all of them, whatever that version would do.
import {existsSync} from 'node:fs';
import {cp, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {runCommand} from '../../lib/base/run-command.ts';
import {cli, mpirun, mpiTest, tsx, type MpiLibrary} from '../helpers/mpi.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {writeSmallPictures} from '../helpers/small-runs.ts';
import {root} from '../helpers/sources.ts';

const otherVersion = '99.1.0';

/** A copy of this package that calls itself another version. */
async function copyOfPackage(folder: string): Promise<string> {
	const copy = join(folder, 'other version');
	for (const part of ['benchmarks', 'cli', 'lib', 'mpi'])
		await cp(join(root, part), join(copy, part), {recursive: true});
	for (const part of ['build', 'node_modules']) await symlink(join(root, part), join(copy, part));
	const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as object;
	await writeFile(join(copy, 'package.json'), JSON.stringify({...manifest, version: otherVersion}));
	return copy;
}

/** A program that runs the command line of a package, with a cache folder of its own: as on a machine of its own. */
async function commandOf(folder: string, name: string, main: string, cache: string): Promise<string> {
	const program = join(folder, `${name}.mjs`);
	const lines = [`process.env.XDG_CACHE_HOME = ${JSON.stringify(cache)};`, `await import(${JSON.stringify(main)});`];
	await writeFile(program, lines.join('\n'));
	return program;
}

/** Starts two ranks, of which the second runs another program. */
async function refusedWith(
	t: ExecutionContext,
	library: MpiLibrary,
	folder: string,
	second: string,
): Promise<{errors: string[]; stderr: string}> {
	const out = join(folder, 'run');
	const args = ['train', join(folder, 'pictures'), '--out', out, '--threads', '1'];
	const since = performance.now();
	const {code, stderr} = await mpirun(library, 2, [cli, ...args], [second, ...args]).ended;
	const seconds = (performance.now() - since) / 1000;
	t.true(seconds < 100, `all have ended after ${seconds.toFixed(0)} s`);
	t.log(`${seconds.toFixed(1)} s`);
	t.not(code, 0, stderr);
	t.false(existsSync(out), 'nothing is left of a run that has not begun');
	return {errors: stderr.match(/^error: .*/gm) ?? [], stderr};
}

mpiTest('ranks of which one has another version end, all with the same error', async (t, library) => {
	const folder = await temporaryFolder(t);
	await writeSmallPictures(join(folder, 'pictures'), 4);
	const [copy, cache] = [await copyOfPackage(folder), join(folder, 'cache')];
	const second = await commandOf(folder, 'second', join(copy, 'cli', 'main.ts'), cache);
	await runCommand(process.execPath, [tsx, second, 'mpi', 'build', '--compiler', library.compiler]);
	const {errors, stderr} = await refusedWith(t, library, folder, second);
	t.is(errors.length, 1, stderr);
	t.regex(
		errors[0]!,
		/Rank 1 on .* differs from rank 0 in version: "99\.1\.0" instead of .* same command, package and/,
	);
});

mpiTest('a rank whose module was built by another version ends all', async (t, library) => {
	const folder = await temporaryFolder(t);
	await writeSmallPictures(join(folder, 'pictures'), 4);
	const copy = await copyOfPackage(folder);
	// The cache has modules of this version alone.
	const second = await commandOf(folder, 'second', join(copy, 'cli', 'main.ts'), process.env.XDG_CACHE_HOME!);
	const {errors, stderr} = await refusedWith(t, library, folder, second);
	t.regex(errors[0]!, /The module for MPI was built by another version .* run: alexnet mpi build.*ALEXNET_MPI/);
	// Open MPI ends the others, MPICH does not hear of it.
	t.is(errors.length, library.name === 'MPICH' ? 2 : 1, stderr);
	t.regex(
		errors.at(-1)!,
		library.name === 'MPICH' ? /MPI has not brought all ranks together in 60 s: one of/ : /module/,
	);
});
