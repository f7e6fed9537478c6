// Prepares many small pictures: in linear time, killed and resumed with the same bytes, every flipped byte found.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, open, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import sharp from 'sharp';
import {mapAhead} from '../../lib/data/map-ahead.ts';
import {ImageFolder} from '../../lib/index.ts';
import {randomNumbers} from './pictures.ts';

const program = fileURLToPath(new URL('prepare-child.ts', import.meta.url));
export const syntheticSide = 32;
const classes = 20;

/** Pictures of noise, PNGs and JPEGs by turns: `folder/<class>/<number>`. */
export async function writeSynthetic(folder: string, pictures: number, seed: number): Promise<void> {
	const names = Array.from({length: classes}, (_, label) => `class ${String(label).padStart(2, '0')}`);
	for (const name of names) await mkdir(join(folder, name), {recursive: true});
	const numbers = Array.from({length: pictures}, (_, number) => number);
	const written = mapAhead(numbers, 4 * availableParallelism(), async (number) => {
		const random = randomNumbers(seed + number);
		const size = {width: 4 + Math.floor(random() * 5), height: 4 + Math.floor(random() * 5), channels: 3} as const;
		const pixels = Uint8Array.from({length: size.width * size.height * 3}, () => random() * 256);
		const format = number % 2 === 0 ? 'png' : 'jpeg';
		const bytes = await sharp(pixels, {raw: size}).toFormat(format).toBuffer();
		await writeFile(join(folder, names[number % classes]!, `${number}.${format}`), bytes);
	});
	for (let next = await written.next(); next.done !== true;) next = await written.next();
}

interface Life {
	/** Kills it so long after it has begun. */
	readonly killAfter?: number;
}

/** @returns milliseconds from its beginning; undefined where it was killed */
async function prepareOnce(folder: string, out: string, perShard: number, {killAfter}: Life = {}) {
	const args = ['--import=tsx', program, folder, out, `${syntheticSide}`, `${perShard}`];
	const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit']});
	const closed = once(child, 'close');
	await Promise.race([once(child.stdout, 'data'), closed]);
	const begun = performance.now();
	if (killAfter !== undefined) {
		await Promise.race([setTimeout(killAfter), closed]);
		child.kill('SIGKILL');
	}
	const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
	if (code === 0) return performance.now() - begun;
	if (signal === 'SIGKILL' && killAfter !== undefined) return undefined;
	throw new Error(`It ended with ${code} ${signal}.`);
}

/** In which files two folders differ. */
export async function differentFiles(first: string, second: string): Promise<string[]> {
	const [names, others] = [(await readdir(first)).sort(), (await readdir(second)).sort()];
	if (names.join() !== others.join()) return [`${names.join()} and ${others.join()}`];
	const found: string[] = [];
	for (const name of names) {
		const [one, two] = [await readFile(join(first, name)), await readFile(join(second, name))];
		if (!one.equals(two)) found.push(name);
	}
	return found;
}

export interface CheckOptions {
	readonly folder: string;
	readonly pictures: number;
	readonly perShard: number;
	readonly kills: number;
	readonly flips: number;
	readonly seed: number;
	readonly log: (line: string) => void;
}

/** @throws an Error that says what is wrong. */
export async function checkPrepare(options: CheckOptions): Promise<void> {
	const {folder, pictures, perShard, kills, flips, seed, log} = options;
	const random = randomNumbers(seed);
	const [source, alone, killed] = ['pictures', 'alone', 'killed'].map((name) => join(folder, name)) as [
		string,
		string,
		string,
	];
	await writeSynthetic(source, pictures, seed);
	const milliseconds = (await prepareOnce(source, alone, perShard)) ?? 0;
	log(
		`${pictures} pictures in ${(milliseconds / 1000).toFixed(1)} s: ${((pictures / milliseconds) * 1000).toFixed(0)}/s`,
	);
	let done = 0;
	const moments: string[] = [];
	// Half of the whole at most: several lives to a preparation.
	while (done < kills) {
		const killAfter = (random() * milliseconds) / 2;
		if ((await prepareOnce(source, killed, perShard, {killAfter})) === undefined) {
			++done;
			const names = await readdir(killed);
			moments.push(`${names.filter((name) => name.endsWith('.json')).length - 1}`);
			continue;
		}
		await requireSameFiles(alone, killed);
		await rm(killed, {recursive: true});
	}
	await prepareOnce(source, killed, perShard);
	await requireSameFiles(alone, killed);
	log(`killed ${kills} times (whole shards then: ${moments.join(', ')}), it ends with the same bytes`);
	await flipBytes(killed, flips, random);
	log(`${flips} flipped bytes found, each as one picture or as the index`);
}

async function requireSameFiles(first: string, second: string): Promise<void> {
	const found = await differentFiles(first, second);
	if (found.length > 0) throw new Error(`The folders differ in ${found.join('; ')}.`);
}

async function flipBytes(prepared: string, flips: number, random: () => number): Promise<void> {
	const names = (await readdir(prepared)).filter((name) => /\.(pack|index)$/.test(name));
	for (let flip = 0; flip < flips; ++flip) {
		const name = flip % 4 === 0 ? 'pictures.index' : names[Math.floor(random() * names.length)]!;
		const path = join(prepared, name);
		const place = Math.floor(random() * (await stat(path)).size);
		const mask = 1 + Math.floor(random() * 255);
		await change(path, place, mask);
		const found = await ImageFolder.open(prepared, {validationFraction: 0}).then(
			async ({train}) => {
				await train.check();
				return [...train.unreadable.values()].filter((reason) => reason.includes(name)).length;
			},
			(error: unknown) => (String(error).includes('checksum') || String(error).includes('damaged') ? -1 : 0),
		);
		const expected = name === 'pictures.index' ? -1 : 1;
		if (found !== expected) throw new Error(`Byte ${place} of ${name}: ${found}`);
		await change(path, place, mask);
	}
}

async function change(path: string, place: number, mask: number): Promise<void> {
	const file = await open(path, 'r+');
	const byte = Buffer.alloc(1);
	await file.read(byte, 0, 1, place);
	await file.write(Buffer.from([byte[0]! ^ mask]), 0, 1, place);
	await file.close();
}
