// Builds and runs programs on simulated GPUs, from what the simulated build left.
import {spawn} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import anyTest from 'ava';
import {nvcc} from '../cuda/nvcc.ts';
import {root} from '../helpers/sources.ts';
import {commands, library, requireBuild} from './build.ts';

export interface Outcome {
	status: number | null;
	stdout: string;
	stderr: string;
}

/** The environment without the simulator's settings: tests say themselves what they need. */
const plain = Object.fromEntries(
	Object.entries(process.env).filter(([name]) => !/^ALEXNET_(SIMULATED_|SYNC$)/.test(name)),
);

/** Runs a program to its end. */
export function runProgram(
	program: string,
	options: readonly string[],
	settings: Readonly<Record<string, string>> = {},
	{shell = false, cwd = root}: {shell?: boolean; cwd?: string} = {},
): Promise<Outcome> {
	return new Promise((resolve, reject) => {
		const child = spawn(program, options, {cwd, shell, env: {...plain, ...settings}});
		const text = {stdout: '', stderr: ''};
		for (const stream of ['stdout', 'stderr'] as const) {
			child[stream].setEncoding('utf8').on('data', (part: string) => (text[stream] += part));
		}
		child.on('error', reject);
		child.on('close', (status) => resolve({status, ...text}));
	});
}

async function succeed(
	program: string,
	options: readonly string[],
	shell?: {shell: boolean; cwd: string},
): Promise<void> {
	const {status, stdout, stderr} = await runProgram(program, options, {}, shell);
	if (status !== 0) throw new Error([program, ...options].join(' ') + ` failed:\n${stdout}${stderr}`);
}

/** Compiles a source below `folder` as the build does it, but quicker: for one architecture, host code as it comes. */
async function compileLike(source: string, folder: string): Promise<string> {
	const entry = commands().get(source);
	if (entry === undefined) throw new Error(`The simulated build does not compile ${source}.`);
	const object = join(folder, `${basename(source)}.o`);
	const command = entry.command
		.replace(` -o ${entry.object}`, ` -o ${object}`)
		.replace(entry.file, join(folder, source))
		.replace(/ --generate-code=arch=compute_75\S*/, '')
		.replace(/ -O3\b/g, '');
	await succeed(command, [], {shell: true, cwd: entry.directory});
	return object;
}

const folder = mkdtempSync(join(tmpdir(), 'alexnet-simulator-'));
const builds: Promise<unknown>[] = [];
anyTest.after.always(async () => {
	await Promise.allSettled(builds); // one may still be under way that no test waited for
	rmSync(folder, {recursive: true});
});

/** Compiles a source file of test/simulator/ into the scratch folder. */
async function compileOwn(name: string): Promise<string> {
	const object = join(folder, `${name}.o`);
	const flags = ['-std=c++17', '-lineinfo', '--no-compress', '--generate-code=arch=compute_80,code=compute_80'];
	if (nvcc === undefined) throw new Error('There is no nvcc here, and ALEXNET_REQUIRE=cuda asks for one.');
	await succeed(nvcc, [...flags, `-I${root}`, '-c', join(root, 'test/simulator', name), '-o', object]);
	return object;
}

async function link(program: string, objects: readonly string[]): Promise<string> {
	await succeed('g++', ['-o', program, ...objects, library, '-pthread', '-ldl']);
	return program;
}

/** A CUDA program of test/simulator/ that needs nothing but the runtime. */
export async function programOf(name: string): Promise<string> {
	requireBuild();
	return link(join(folder, basename(name, '.cu')), [await compileOwn(name)]);
}

/** One place of a file of core/ or cuda/, which is there once, and what takes its place. */
export interface Edit {
	file: string;
	from: string;
	to: string;
}

export interface Operate {
	program: string;
	/** The folder in which core/ and cuda/ lie that it was built from. */
	sources: string;
}

let operate: Promise<string> | undefined;
let mutants = 0;

/** Copies core/ and cuda/ to a folder of their own and makes the edits there. */
function editedCopy(edits: readonly Edit[]): string {
	const copy = join(folder, `mutant-${mutants++}`);
	mkdirSync(copy);
	for (const part of ['core', 'cuda']) cpSync(join(root, part), join(copy, part), {recursive: true});
	for (const {file, from, to} of edits) {
		const parts = readFileSync(join(copy, file), 'utf8').split(from);
		if (parts.length !== 2) throw new Error(`${file} has '${from}' ${parts.length - 1} times, not once.`);
		writeFileSync(join(copy, file), parts.join(to));
	}
	return copy;
}

/**
 * test/simulator/operate.cc with core/ and cuda/ as they are after `edits`. The edited sources are compiled anew, and
 * `compile`, which include edited headers.
 */
export function operateWith(edits: readonly Edit[], compile: readonly string[] = []): Promise<Operate> {
	const build = buildOperate(edits, compile);
	builds.push(build);
	return build;
}

async function buildOperate(edits: readonly Edit[], compile: readonly string[]): Promise<Operate> {
	const sources = edits.length > 0 ? editedCopy(edits) : root;
	operate ??= compileOwn('operate.cc');
	const edited = edits.map(({file}) => file).filter((file) => /\.(cc|cu)$/.test(file));
	const anew = [...new Set([...edited, ...compile])];
	const others = [...commands()].filter(([source]) => !anew.includes(source));
	const mutated = await Promise.all([...anew.map((source) => compileLike(source, sources)), operate]);
	// In front, because of inline functions that several objects have the first one counts.
	const objects = [...mutated, ...others.map(([, {directory, object}]) => join(directory, object))];
	return {program: await link(join(edits.length > 0 ? sources : folder, 'operate'), objects), sources};
}

/** Runs a program on two simulated GPUs; what it printed, and what the simulator reported. */
export async function simulate(
	program: string,
	options: readonly string[],
	settings: Readonly<Record<string, string>> = {},
): Promise<{status: number | null; output: string; reports: string[]}> {
	const simulated = {ALEXNET_SIMULATED_GPUS: '2', ALEXNET_SIMULATED_PROCESSORS: '4', ...settings};
	const {status, stdout, stderr} = await runProgram(program, options, simulated);
	const start = 'simulator: ';
	const reports = stderr.split('\n').filter((line) => line.startsWith(start));
	return {status, output: stdout, reports: reports.map((line) => line.slice(start.length))};
}

export const schedules = ['forward', 'reverse', 'random:1', 'random:2', 'random:3'];
