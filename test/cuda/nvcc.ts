// nvcc and scratch folders for the tests of cuda/.
import {execFile, execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import anyTest from 'ava';
import {nvccHere} from '../../scripts/kernels/toolkit.ts';
import {isRequired} from '../helpers/required.ts';
import {root} from '../helpers/sources.ts';

/** Where nvcc is, looked for in the places that cuda/cuda.cmake looks in. */
export const nvcc = nvccHere()?.path;

/** Tests that need nvcc are skipped where there is none, and fail there with ALEXNET_REQUIRE=cuda. */
export const test = nvcc !== undefined || isRequired('cuda') ? anyTest.serial : anyTest.serial.skip;

export function scratchFolder(): string {
	return mkdtempSync(join(tmpdir(), 'alexnet-cuda-'));
}

function foundNvcc(): string {
	if (nvcc === undefined) throw new Error('There is no nvcc here, and ALEXNET_REQUIRE=cuda asks for one.');
	return nvcc;
}

/** Runs nvcc and returns what it says; fails with its output. */
export function runNvcc(...options: string[]): string {
	const {status, stdout, stderr, error} = spawnSync(foundNvcc(), options, {
		cwd: root,
		encoding: 'utf8',
		maxBuffer: 2 ** 26,
	});
	if (error) throw error;
	if (status !== 0) throw new Error(`nvcc ${options.join(' ')} failed:\n${stdout}${stderr}`);
	return stdout + stderr;
}

/** The same, without waiting: for several at a time. */
export async function nvccOutput(...options: string[]): Promise<string> {
	const {stdout, stderr} = await promisify(execFile)(foundNvcc(), options, {cwd: root, maxBuffer: 2 ** 26});
	return stdout + stderr;
}

/**
 * An environment in which the CUDA runtime finds test/cuda/driver.c in place of NVIDIA's driver: no GPU, and support up
 * to the given CUDA version.
 */
export function withDriver(folder: string, version: number): NodeJS.ProcessEnv {
	const library = join(folder, 'libcuda.so.1');
	if (!existsSync(library)) {
		runNvcc('-shared', '-Xcompiler=-fPIC', '-cudart=none', 'test/cuda/driver.c', '-o', library);
	}
	return {...realGpus(), LD_LIBRARY_PATH: folder, DRIVER_VERSION: String(version)};
}

/** An environment in which the CUDA runtime finds no driver: the loader stops at a library that is none. */
export function withoutDriver(folder: string): NodeJS.ProcessEnv {
	const empty = join(folder, 'no-driver');
	mkdirSync(empty, {recursive: true});
	writeFileSync(join(empty, 'libcuda.so.1'), '');
	return {...realGpus(), LD_LIBRARY_PATH: empty};
}

/** This process's environment, but for what asks for simulated GPUs. */
function realGpus(): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ALEXNET_SIMULATED_')));
}

/** Runs a program and returns its lines. */
export function linesOf(program: string, options: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
	return execFileSync(program, options, {cwd: root, env, encoding: 'utf8'}).trimEnd().split('\n');
}
