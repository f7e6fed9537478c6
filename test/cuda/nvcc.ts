// nvcc and scratch folders for the tests of cuda/.
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import anyTest from 'ava';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where nvcc is, looked for in the places that cuda/cuda.cmake looks in. */
export const nvcc = findNvcc();

function findNvcc(): string | undefined {
	const {CUDACXX, CUDA_HOME, CUDA_PATH, PATH = ''} = process.env;
	if (CUDACXX) return CUDACXX;
	const toolkits = [CUDA_HOME, CUDA_PATH, '/usr/local/cuda'].filter((folder) => folder !== undefined);
	const folders = [...PATH.split(delimiter), ...toolkits.map((folder) => join(folder, 'bin'))];
	return folders.map((folder) => join(folder, 'nvcc')).find((file) => existsSync(file));
}

const required = process.env.ALEXNET_REQUIRE === 'cuda';

/** Tests that need nvcc are skipped where there is none, and fail there with ALEXNET_REQUIRE=cuda. */
export const test = nvcc !== undefined || required ? anyTest.serial : anyTest.serial.skip;

export function scratchFolder(): string {
	return mkdtempSync(join(tmpdir(), 'alexnet-cuda-'));
}

/** Runs nvcc and returns what it says; fails with its output. */
export function runNvcc(...options: string[]): string {
	if (nvcc === undefined) throw new Error('There is no nvcc here, and ALEXNET_REQUIRE=cuda asks for one.');
	const {status, stdout, stderr, error} = spawnSync(nvcc, options, {cwd: root, encoding: 'utf8'});
	if (error) throw error;
	if (status !== 0) throw new Error(`nvcc ${options.join(' ')} failed:\n${stdout}${stderr}`);
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
	return {...process.env, LD_LIBRARY_PATH: folder, DRIVER_VERSION: String(version)};
}

/** Runs a program and returns its lines. */
export function linesOf(program: string, options: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
	return execFileSync(program, options, {cwd: root, env, encoding: 'utf8'}).trimEnd().split('\n');
}
