// Programs in one file, as bundlers make them.
import {mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {build} from 'esbuild';

/** What a bundle leaves outside: packages with binaries of their own. */
const external = ['sharp', 'node-gyp-build'];

/** Bundles a program of this repository, with all of the package's TypeScript, into one ES module. */
export async function bundle(entry: string, outfile: string): Promise<void> {
	await build({
		entryPoints: [entry],
		outfile,
		bundle: true,
		platform: 'node',
		format: 'esm',
		external,
		logLevel: 'error',
	});
}

/**
 * The file of a worker thread that stands in this folder, for a test to start: it does without the loader of TypeScript,
 * which takes longer than the test. It lies within the package, so that it finds the addon, and beside the program that
 * decodes.
 */
export async function bundleWorker(t: ExecutionContext, name: string): Promise<string> {
	const folder = mkdtempSync(fileURLToPath(new URL('../../build/worker-', import.meta.url)));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	const outfile = join(folder, 'worker.mjs');
	await bundle(fileURLToPath(new URL(name, import.meta.url)), outfile);
	await bundle(
		fileURLToPath(new URL('../../lib/data/decoder-child.ts', import.meta.url)),
		join(folder, 'decoder-child.mjs'),
	);
	return outfile;
}
