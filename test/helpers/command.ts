// Runs the command line as users do, in a process of its own.
import {spawn} from 'node:child_process';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import sharp from 'sharp';
import {compiledProgram} from './compiled.ts';

export interface Ended {
	/** As a shell sees it: 128 + the signal's number where a signal ended the process. */
	code: number;
	stdout: string;
	stderr: string;
}

export interface Running {
	/** Sends a signal as soon as this text has been printed, to stdout by default. */
	when?: {printed: string; send: NodeJS.Signals; to?: 'stdout' | 'stderr'};
	/** Variables besides this process's own. */
	environment?: Readonly<Record<string, string>>;
	/** Where it runs. */
	cwd?: string;
	/** Its output has no reader any more: neither stdout nor stderr. */
	isUnread?: boolean;
}

export async function alexnet(
	args: readonly string[],
	{when, environment, cwd, isUnread = false}: Running = {},
): Promise<Ended> {
	const child = spawn(process.execPath, [compiledProgram(), ...args], {
		cwd,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {...process.env, ...environment},
	});
	if (isUnread) for (const stream of [child.stdout, child.stderr]) stream.destroy();
	let [stdout, stderr, sent] = ['', '', false];
	const look = (): void => {
		const text = when?.to === 'stderr' ? stderr : stdout;
		if (!when || sent || !text.includes(when.printed)) return;
		sent = true;
		child.kill(when.send);
	};
	child.stderr.on('data', (chunk: Buffer) => {
		stderr += chunk.toString();
		look();
	});
	child.stdout.on('data', (chunk: Buffer) => {
		stdout += chunk.toString();
		look();
	});
	const code = await new Promise<number>((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (exitCode, signal) => resolve(exitCode ?? (signal === 'SIGINT' ? 130 : 143)));
	});
	return {code, stdout, stderr};
}

/** Writes `folder/<class>/<n>.png`: the colours' noise, 40 x 48, drawn by a seed. */
export async function writePictures(
	folder: string,
	colours: Readonly<Record<string, number[]>>,
	each: number,
): Promise<void> {
	let state = 1;
	const noise = (): number => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff - 0.5;
	for (const [name, colour] of Object.entries(colours)) {
		await mkdir(join(folder, name), {recursive: true});
		for (let picture = 0; picture < each; ++picture) {
			const pixels = Uint8Array.from({length: 40 * 48 * 3}, (_, index) => {
				return Math.min(255, Math.max(0, (colour[index % 3] ?? 0) + 60 * noise()));
			});
			const file = join(folder, name, `${picture}.png`);
			await sharp(pixels, {raw: {width: 40, height: 48, channels: 3}})
				.png()
				.toFile(file);
		}
	}
}

export async function writeCorruptPicture(path: string): Promise<void> {
	await writeFile(path, 'This is no picture.');
}

/** Everything below 0x20 but line ends: what terminals act on. */
export function controlCharacters(text: string): string[] {
	return text.match(/[^\P{Cc}\n]/gu) ?? [];
}
