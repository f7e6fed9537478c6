// What scripts/gpu-pack runs: a checkout's files, this Node.js and the addon's libraries as one archive.
import {execFileSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {root} from '../../test/helpers/sources.ts';
import {placeAddon, strip} from '../package/addon.ts';

const architecture = process.argv[2] ?? 'release';
const isSimulated = architecture === 'simulated';
/** For files and folders. */
const name = architecture.replaceAll(';', '-');
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
	const simulator = `--CDALEXNET_SIMULATOR=${isSimulated ? 'ON' : 'OFF'}`;
	const environment = isSimulated ? {} : {ALEXNET_CUDA_ARCHITECTURES: architecture};
	run('npx', ['cmake-js', 'build', '--out', output, simulator], environment);
	return {addon: join(root, output, 'Release/alexnet.node'), folder};
}

interface Package {
	files?: string[];
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

function readPackage(folder: string): Package {
	return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
}

/** What the program and its tests import; what only builds the addon stays here. */
function packages(): Set<string> {
	const {dependencies = {}} = readPackage(root);
	const builds = ['cmake-js', 'node-addon-api', 'node-api-headers'];
	return withDependencies([...Object.keys(dependencies).filter((name) => !builds.includes(name)), 'ava', 'tsx']);
}

function megabytes(file: string): string {
	return `${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`;
}

const {addon, folder} = build();
run('npm', ['run', 'build:lib']);

const stage = join(root, 'build/gpu-pack');
const place = join(stage, 'gpu-check');
rmSync(stage, {recursive: true, force: true});
const {files = []} = readPackage(root);
/** Whether a checkout's file travels: what the package publishes, and what the tests are made of. */
const travels = (file: string): boolean =>
	files.some((published) => file === published || file.startsWith(`${published}/`)) ||
	/^(lib|cli|benchmarks|test|scripts)\/|^[^/]+\.(js|json)$/.test(file);
for (const file of run('git', ['ls-files', '--cached', '--others', '--exclude-standard']).trim().split('\n')) {
	if (!travels(file)) continue;
	cpSync(join(root, file), join(place, file), {recursive: true});
}
cpSync(join(root, 'dist'), join(place, 'dist'), {recursive: true});
for (const one of packages()) cpSync(one, join(place, relative(root, one)), {recursive: true});
mkdirSync(join(place, folder), {recursive: true});
placeAddon(addon, join(place, folder));
mkdirSync(join(place, 'pack'));
strip(process.execPath, join(place, 'pack/node'));

const archive = join(root, 'build', `gpu-check-${name}.tar.xz`);
run('tar', ['-cf', archive, '-I', 'xz -T0 -6', '-C', stage, 'gpu-check']);
console.log(`${archive}: ${megabytes(archive)}`);
