// Builds and runs CUDA programs on simulated GPUs.
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {root, runNvcc} from '../cuda/nvcc.ts';

const library = join(root, 'build/Simulated/libalexnet_simulator.a');

/** Builds the simulator where it is not built; elsewhere it is brought up to date. */
export function buildSimulator(): void {
	execFileSync('npm', ['run', '--silent', 'build:simulated'], {cwd: root, stdio: 'pipe'});
	if (!existsSync(library)) throw new Error(`npm run build:simulated did not make ${library}.`);
}

/** Compiles sources with nvcc to PTX and host code, linked with the simulator. */
export function compile(program: string, ...sources: string[]): void {
	const targets = ['75', '80'].map((name) => `-gencode=arch=compute_${name},code=compute_${name}`);
	const flags = ['-std=c++17', '-O3', '-lineinfo', '--no-compress', '-cudart=none', '-I.', `-I${root}`];
	runNvcc(...flags, ...targets, ...sources, library, '-o', program);
}

/** The text with one place replaced. Fails where the place is not there once. */
export function edited(file: string, from: string, to: string): string {
	const text = readFileSync(join(root, file), 'utf8');
	const parts = text.split(from);
	if (parts.length !== 2) throw new Error(`${file} has '${from}' ${parts.length - 1} times, not once.`);
	return parts.join(to);
}

/** The number of the one line that holds `part`. */
export function lineOf(text: string, part: string): number {
	const found = text.split('\n').flatMap((line, index) => (line.includes(part) ? [index + 1] : []));
	if (found.length !== 1) throw new Error(`'${part}' is in ${found.length} lines, not one.`);
	return found[0]!;
}

export function write(path: string, text: string): string {
	writeFileSync(path, text);
	return path;
}

/** Runs a program on simulated GPUs; what it printed, and what the simulator reported. */
export function simulate(
	program: string,
	options: readonly string[],
	settings: Readonly<Record<string, string>> = {},
): {output: string; reports: string[]} {
	const env = {...process.env, ALEXNET_SIMULATED_GPUS: '2', ...settings};
	const {stdout, stderr, error} = spawnSync(program, options, {cwd: root, env, encoding: 'utf8'});
	if (error) throw error;
	const reports = stderr.split('\n').filter((line) => line.startsWith('simulator: '));
	return {output: stdout, reports: reports.map((line) => line.slice('simulator: '.length))};
}
