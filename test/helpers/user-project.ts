// A project of somebody who has installed the package: this checkout stands in for it, from its sources.
import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from './sources.ts';

export function installInto(project: string): void {
	const installed = join(project, 'node_modules/alexnet-cuda');
	mkdirSync(installed, {recursive: true});
	symlinkSync(join(root, 'lib'), join(installed, 'lib'));
	const manifest = readFileSync(join(root, 'package.json'), 'utf8');
	const fromSources = manifest.replaceAll(/\.\/dist\/lib\/(\w+)\.js/g, './lib/$1.ts');
	writeFileSync(join(installed, 'package.json'), fromSources);
	writeFileSync(join(project, 'package.json'), '{"type": "module"}');
}

/** Runs a program of the project. */
export function start(project: string, file: string, ...args: string[]): ChildProcessWithoutNullStreams {
	return spawn(process.execPath, [`--import=${import.meta.resolve('tsx')}`, file, ...args], {cwd: project});
}

/** What a program prints to stdout; it must end well. */
export async function outputOf(project: string, file: string, ...args: string[]): Promise<string> {
	const child = start(project, file, ...args);
	let [stdout, stderr] = ['', ''];
	child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
	child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
	const [code] = (await once(child, 'close')) as [number | null];
	if (code !== 0) throw new Error(`${file} ended with ${code ?? 'a signal'}: ${stdout}${stderr}`);
	return stdout;
}
