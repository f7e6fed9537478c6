// The compiler, and the tools that read what it made.
import {execFile, execFileSync, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {root} from '../../test/helpers/sources.ts';

const run = promisify(execFile);

export interface Tool {
	readonly path: string;
	/** "13.0.88" */
	readonly version: string;
}

/** The first of these that runs: what is asked for, on PATH, in a toolkit. */
function find(program: string, asked: string | undefined): Tool | undefined {
	const toolkits = [process.env.CUDA_HOME, process.env.CUDA_PATH, '/usr/local/cuda'];
	const inToolkits = toolkits.flatMap((folder) => (folder === undefined ? [] : [join(folder, 'bin', program)]));
	for (const path of asked === undefined ? [program, ...inToolkits] : [asked]) {
		const {status, stdout} = spawnSync(path, ['--version'], {encoding: 'utf8'});
		if (status === 0) return {path, version: /\bV(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? 'unknown'};
	}
	return undefined;
}

/** As cuda/cuda.cmake finds it. */
export function nvccHere(): Tool | undefined {
	return find('nvcc', process.env.CUDACXX);
}

/** @throws where there is no nvcc */
export function compiler(): Tool {
	const found = nvccHere();
	if (!found) throw new Error('There is no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda: nothing can be compiled.');
	return found;
}

/** nvdisasm is no part of every toolkit. Without one there are no counts of instructions. */
export function disassembler(): Tool | undefined {
	return find('nvdisasm', process.env.NVDISASM);
}

/** What a program prints; fails with that where it fails. */
export async function output({path}: {path: string}, options: readonly string[], cwd: string): Promise<string> {
	const {stdout, stderr} = await run(path, options, {cwd, maxBuffer: 2 ** 28});
	return stdout + stderr;
}

/**
 * Mangled names as the source has them, without namespaces and parameters: mma::conv2dForwardMmaKernel<mma::Tile<k256x128, float>>.
 */
export function readableNames(mangled: readonly string[]): Map<string, string> {
	if (mangled.length === 0) return new Map();
	const lines = execFileSync('c++filt', [], {input: mangled.join('\n'), encoding: 'utf8'})
		.trimEnd()
		.split('\n');
	return new Map(mangled.map((name, index) => [name, shortened(lines[index] ?? name)]));
}

function shortened(name: string): string {
	const plain = name
		.replace(/^void /, '')
		.replaceAll(/alexnet::(?:cuda::)?|\(anonymous namespace\)::/g, '')
		.replaceAll(
			/\((mma::Shape)\)(\d+)/g,
			(whole: string, _: string, number: string) => shapes()[Number(number)] ?? whole,
		)
		.replaceAll('> >', '>>');
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

/** What the numbers of an enumeration stand for, which is all that names keep of it. */
function shapes(): string[] {
	const [, list = ''] =
		/enum class Shape \{([^}]*)\}/.exec(readFileSync(join(root, 'cuda/gemm/mma/tiling.h'), 'utf8')) ?? [];
	return list.split(',').map((name) => name.trim());
}
