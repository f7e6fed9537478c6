// The compiler, and the tools that read what it made.
import {execFile, execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);

/** On PATH or in a toolkit. */
function find(program: string): string | undefined {
	const {CUDA_HOME, CUDA_PATH, PATH = ''} = process.env;
	const toolkits = [CUDA_HOME, CUDA_PATH, '/usr/local/cuda'].filter((folder) => folder !== undefined);
	const folders = [...PATH.split(delimiter), ...toolkits.map((folder) => join(folder, 'bin'))];
	return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

export interface Tool {
	readonly path: string;
	/** "13.0.88" */
	readonly version: string;
}

function toolAt(path: string | undefined): Tool | undefined {
	if (path === undefined) return undefined;
	const said = execFileSync(path, ['--version'], {encoding: 'utf8'});
	return {path, version: /\bV(\d+(?:\.\d+)+)/.exec(said)?.[1] ?? 'unknown'};
}

/** As cuda/cuda.cmake finds it. */
export function nvccPath(): string | undefined {
	return process.env.CUDACXX ?? find('nvcc');
}

/** @throws where there is no nvcc */
export function compiler(): Tool {
	const found = toolAt(nvccPath());
	if (!found) throw new Error('There is no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda: nothing can be compiled.');
	return found;
}

/** nvdisasm is no part of every toolkit. Without one there are no counts of instructions. */
export function disassembler(): Tool | undefined {
	return toolAt(process.env.NVDISASM ?? find('nvdisasm'));
}

/** What a program prints; fails with that where it fails. */
export async function output({path}: {path: string}, options: readonly string[], cwd: string): Promise<string> {
	const {stdout, stderr} = await run(path, options, {cwd, maxBuffer: 2 ** 28});
	return stdout + stderr;
}

/** Mangled names as the source has them, without namespaces and parameters: conv2dForwardKernel<Tile<float, 128>, true>. */
export function readableNames(mangled: readonly string[]): Map<string, string> {
	if (mangled.length === 0) return new Map();
	const lines = execFileSync('c++filt', [], {input: mangled.join('\n'), encoding: 'utf8'})
		.trimEnd()
		.split('\n');
	return new Map(mangled.map((name, index) => [name, shortened(lines[index] ?? name)]));
}

function shortened(name: string): string {
	const plain = name.replace(/^void /, '').replaceAll(/alexnet::cuda::|\(anonymous namespace\)::/g, '');
	// Up to the parameters: a parenthesis outside of <>.
	let depth = 0;
	for (let place = 0; place < plain.length; ++place) {
		const letter = plain.charAt(place);
		if (letter === '<') ++depth;
		if (letter === '>') --depth;
		if (letter === '(' && depth === 0) return plain.slice(0, place);
	}
	return plain;
}
