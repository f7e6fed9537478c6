// The module between Node.js and an MPI library, which is built where it is used: MPI libraries have no common ABI.
import {createHash} from 'node:crypto';
import {mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {cacheFolder} from '../base/cache-folder.ts';
import {fields, filePath, option, options, checked, text} from '../base/check.ts';
import {AlexNetError, messageOf} from '../base/errors.ts';
import {packageRoot, packageVersion} from '../base/package.ts';
import {CommandError, runCommand} from '../base/run-command.ts';

/** What `buildMpiModule` takes. */
export interface MpiBuildOptions {
	/** The MPI library's compiler for C++, by name or path. Default 'mpicxx'. */
	compiler?: string | undefined;
}

export const mpiBuildOptions = options<MpiBuildOptions>()({
	compiler: option(filePath, "the MPI library's compiler for C++, by name or path", 'mpicxx'),
});

/** A module that was built, for one MPI library. */
export interface MpiBuild {
	/** The MPI library: "Open MPI v4.1.4". */
	readonly library: string;
	/** What it was built with. */
	readonly compiler: string;
	/** Where the module is. */
	readonly file: string;
	/** Whether it is of this version of the package. */
	readonly isCurrent: boolean;
}

const description = 'module.json';
const descriptionCheck = fields<{library: string; compiler: string; sources: string}>({
	...{library: text, compiler: text, sources: text},
});

/** Modules of all versions and libraries, in a folder each. */
function folderOfBuilds(): string {
	return join(cacheFolder(), 'mpi');
}

/** Those that are there, the latest first. */
export async function mpiBuilds(): Promise<readonly MpiBuild[]> {
	const folder = folderOfBuilds();
	const names = await readdir(folder).catch((): string[] => []);
	const current = await digestOfSources();
	const found = await Promise.all(
		names.map(async (name) => {
			try {
				const path = join(folder, name, description);
				const read: unknown = JSON.parse(await readFile(path, 'utf8'));
				const {library, compiler, sources} = checked(description, descriptionCheck, read);
				const {mtimeMs} = await stat(path);
				const file = join(folder, name, 'alexnet_mpi.node');
				return [{mtimeMs, build: {library, compiler, file, isCurrent: sources === current}}];
			} catch {
				return []; // left over from a build that was broken off, or somebody else's
			}
		}),
	);
	return found
		.flat()
		.sort((a, b) => b.mtimeMs - a.mtimeMs)
		.map(({build}) => build);
}

/**
 * Builds the module with an MPI library's compiler, for the user who calls it, in a folder of his cache.
 *
 * @throws ALEXNET_MPI where there is no such compiler, or it fails; the message has what it says.
 */
export async function buildMpiModule(given: MpiBuildOptions = {}): Promise<MpiBuild> {
	const {compiler} = checked('buildMpiModule', mpiBuildOptions, given);
	const folder = folderOfBuilds();
	await mkdir(folder, {recursive: true});
	const temporary = await mkdtemp(join(folder, '.build-'));
	try {
		const program = join(temporary, 'version');
		await run(compiler, [...flags, source('version.cc'), '-o', program], compiler);
		const library = firstWords(await run(program, [], compiler));
		const module = join(temporary, 'alexnet_mpi.node');
		const own = ['addon.cc', 'thread.cc'].map(source);
		await run(compiler, ['-shared', '-fPIC', '-O3', ...flags, ...includes(), ...own, '-o', module], compiler);
		await rm(program);
		const sources = await digestOfSources();
		await writeFile(join(temporary, description), JSON.stringify({library, compiler, sources}));
		const name = library.replaceAll(/[^\w.]+/g, '-');
		const place = join(folder, name);
		await rm(place, {recursive: true, force: true});
		await rename(temporary, place);
		return {library, compiler, file: join(place, 'alexnet_mpi.node'), isCurrent: true};
	} finally {
		await rm(temporary, {recursive: true, force: true});
	}
}

/** The bindings to C++ that the libraries once had are not used, and warn. */
const flags = ['-std=c++17', '-Wall', '-DOMPI_SKIP_MPICXX', '-DMPICH_SKIP_MPICXX', '-DNAPI_CPP_EXCEPTIONS'];

const source = (name: string): string => join(packageRoot(), 'mpi', name);

function includes(): string[] {
	const {resolve} = createRequire(import.meta.url);
	const folders = [dirname(resolve('node-addon-api/package.json'))];
	folders.push(join(dirname(resolve('node-api-headers/package.json')), 'include'));
	return folders.flatMap((folder) => ['-isystem', folder]);
}

/** "Open MPI v4.1.4", "MPICH 4.0.2", or the beginning of what another one calls itself. */
function firstWords(version: string): string {
	const [line = ''] = version.trim().split('\n');
	const [, mpich] = /^MPICH Version:\s*(\S+)/.exec(line) ?? [];
	return mpich === undefined ? (line.split(',')[0] ?? '').trim().slice(0, 80) : `MPICH ${mpich}`;
}

async function run(program: string, args: readonly string[], compiler: string): Promise<string> {
	try {
		return await runCommand(program, args);
	} catch (error) {
		const said = error instanceof CommandError && error.said !== '' ? error.said.trim() : messageOf(error);
		throw new AlexNetError(
			'ALEXNET_MPI',
			`The module for MPI cannot be built with '${compiler}': ${said}\n` +
				"It takes an MPI library with its compiler and g++ (on Debian 'apt-get install libopenmpi-dev openmpi-bin g++'); " +
				'--compiler names the compiler where it is not mpicxx.',
			{cause: error},
		);
	}
}

async function digestOfSources(): Promise<string> {
	const hash = createHash('sha256').update(`${packageVersion} ${process.platform} ${process.arch}\n`);
	const names = (await readdir(join(packageRoot(), 'mpi'))).sort();
	for (const name of names) hash.update(await readFile(source(name)));
	return hash.digest('hex').slice(0, 16);
}
