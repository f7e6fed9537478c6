// What scripts/gpu-pack runs: a checkout's files, this Node.js and the addon's libraries as one archive.
import {execFileSync} from 'node:child_process';
import {copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync} from 'node:fs';
import {basename, dirname, join, relative, resolve} from 'node:path';
import {root} from '../../test/helpers/sources.ts';

const architecture = process.argv[2] ?? 'release';
const isSimulated = architecture === 'simulated';
/** For files and folders. */
const name = architecture.replaceAll(';', '-');
/** The other machine's own: glibc, and the C++ library that Node.js has loaded by then. */
const system = /^(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so)/;

function run(program: string, parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
	return execFileSync(program, parameters, {
		cwd: root,
		encoding: 'utf8',
		env: {...process.env, ...environment},
		stdio: ['ignore', 'pipe', 'inherit'],
		maxBuffer: 2 ** 26,
	});
}

/** The addon for the architecture: where it was built, and the folder in which it is looked for. */
function build(): {addon: string; folder: string} {
	const folder = isSimulated ? 'build/Simulated/Release' : 'build/Release';
	const output = join('build', `Pack-${name}`);
	// A run path that libraries' libraries are looked for in as well; LD_LIBRARY_PATH would reach other programs.
	const libraries = join(relative(folder, '.'), 'pack/libraries');
	const options = [
		`--CDCMAKE_BUILD_RPATH=$ORIGIN/${libraries}`,
		'--CDCMAKE_SHARED_LINKER_FLAGS=-Wl,--disable-new-dtags',
		`--CDALEXNET_SIMULATOR=${isSimulated ? 'ON' : 'OFF'}`,
	];
	const environment = isSimulated ? {} : {ALEXNET_CUDA_ARCHITECTURES: architecture};
	// `build` alone would leave an earlier configuration as it is.
	run('npx', ['cmake-js', 'configure', '--out', output, ...options], environment);
	run('npx', ['cmake-js', 'build', '--out', output], environment);
	return {addon: join(root, output, 'Release/alexnet.node'), folder};
}

interface Dependencies {
	dependencies?: Record<string, string>;
	optionalDependencies?: Record<string, string>;
}

/** Where `name` is installed for whoever imports it in this folder; undefined where it is not: another system's. */
function installed(name: string, importer: string): string | undefined {
	for (let folder = resolve(importer); folder.startsWith(resolve(root)); folder = dirname(folder)) {
		const found = join(folder, 'node_modules', name);
		if (existsSync(found)) return found;
	}
	return undefined;
}

/** The folders of these packages and of all that they need. */
function withDependencies(names: readonly string[]): Set<string> {
	const found = new Set<string>();
	const waiting = names.map((name) => installed(name, root));
	while (waiting.length > 0) {
		const folder = waiting.pop();
		if (folder === undefined || found.has(folder)) continue;
		found.add(folder);
		const {dependencies, optionalDependencies} = readPackage(folder);
		const needs = Object.keys({...dependencies, ...optionalDependencies});
		waiting.push(...needs.map((name) => installed(name, folder)));
	}
	return found;
}

function readPackage(folder: string): Dependencies {
	return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Dependencies;
}

/** What the program and its tests import; what only builds the addon stays here. */
function packages(): Set<string> {
	const {dependencies = {}} = readPackage(root);
	const builds = ['cmake-js', 'node-addon-api', 'node-api-headers'];
	return withDependencies([...Object.keys(dependencies).filter((name) => !builds.includes(name)), 'ava', 'tsx']);
}

/** Shared libraries that a program or library is linked with, by path. */
function librariesOf(file: string): string[] {
	return [...run('ldd', [file]).matchAll(/^\s*(\S+) => (\S+)/gm)].flatMap(([, name = '', path = '']) =>
		system.test(name) ? [] : [path],
	);
}

function strip(from: string, to: string): void {
	mkdirSync(dirname(to), {recursive: true});
	run('strip', ['-o', to, from]);
}

function megabytes(file: string): string {
	return `${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`;
}

const {addon, folder} = build();
run('npm', ['run', 'build:lib']);

const stage = join(root, 'build/gpu-pack');
const place = join(stage, 'gpu-check');
rmSync(stage, {recursive: true, force: true});
for (const file of run('git', ['ls-files', '--cached', '--others', '--exclude-standard']).trim().split('\n')) {
	if (!/^(lib|cli|benchmarks|test|scripts)\/|^[^/]+\.(js|json)$/.test(file)) continue;
	cpSync(join(root, file), join(place, file), {recursive: true});
}
cpSync(join(root, 'dist'), join(place, 'dist'), {recursive: true});
for (const folder of packages()) cpSync(folder, join(place, relative(root, folder)), {recursive: true});
strip(addon, join(place, folder, 'alexnet.node'));
strip(process.execPath, join(place, 'pack/node'));
mkdirSync(join(place, 'pack/libraries'));
for (const library of librariesOf(addon)) {
	copyFileSync(realpathSync(library), join(place, 'pack/libraries', basename(library)));
}

const archive = join(root, 'build', `gpu-check-${name}.tar.xz`);
run('tar', ['-cf', archive, '-I', 'xz -T0 -6', '-C', stage, 'gpu-check']);
console.log(`${archive}: ${megabytes(archive)}`);
