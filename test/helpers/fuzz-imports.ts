// Imports nets that went wrong, one after the other.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {filled} from '../../lib/base/check.ts';
import {isAlexNetError} from '../../lib/base/errors.ts';
import {allFinite} from '../../lib/base/finite.ts';
import {exportOnnx} from '../../lib/interchange/export-onnx.ts';
import {exportSafetensors} from '../../lib/interchange/export-safetensors.ts';
import {importNet, importOptions} from '../../lib/interchange/import-net.ts';
import {Random} from '../../lib/selftest/random.ts';
import {caffeNet, writeCaffeModel} from './caffe.ts';
import {fuzzSeed, millisecondsSince} from './fuzz-run.ts';
import {mutated, type Mutation} from './mutations.ts';
import {tinyModel} from './networks.ts';
import {drawn} from './onnx.ts';
import {mutatedMessage} from './protobuf-mutations.ts';
import {pthOf} from './pth.ts';

type Mutate = (bytes: Buffer, random: Random) => Mutation;

export const formats = ['onnx', 'caffemodel', 'old.caffemodel', 'pth', 'safetensors'] as const;
export type Format = (typeof formats)[number];

const message: Mutate = (bytes, random) => {
	const {bytes: changed, what} = random.uniform() < 0.8 ? mutatedMessage(bytes, random) : bytewise(bytes, random, 2000);
	return {bytes: Buffer.from(changed), what};
};

/** A byte near the beginning or the end, where formats keep what they are made of; or cut, or something added. */
function bytewise(bytes: Buffer, random: Random, near: number): Mutation {
	const copy = Buffer.from(bytes);
	const within = random.integer(Math.min(near, copy.length));
	const at = random.uniform() < 0.5 ? within : copy.length - 1 - within;
	if (random.uniform() < 0.1) return {bytes: copy.subarray(0, at), what: `cut after byte ${at}`};
	copy[at] = random.uniform() < 0.5 ? random.integer(256) : (copy[at] ?? 0) ^ (1 << random.integer(8));
	return {bytes: copy, what: `byte ${at} changed`};
}

const mutations: Readonly<Record<Format, Mutate>> = {
	...{onnx: message, caffemodel: message, 'old.caffemodel': message, safetensors: mutated},
	// The pickle comes first, the directory last.
	pth: (bytes, random) => bytewise(bytes, random, 4000),
};

/**
 * Each ends in a net of finite weights or in an error of ours; memory stays bounded, and so does the time.
 *
 * @param count how many; ALEXNET_FUZZ_SEED repeats those of a run that failed, each of them a function of its number
 */
export async function fuzzImports(t: ExecutionContext, format: Format, count: number): Promise<void> {
	const seed = fuzzSeed();
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-fuzz-'));
	const path = join(folder, `net.${format}`);
	const whole = await wholeFile(path, format);
	const ends = {read: 0, refused: 0};
	const reasons = new Set<string>();
	let [longest, before] = [0, 0];
	try {
		for (let number = 0; number < count; ++number) {
			const {bytes, what} = mutations[format](whole, new Random(`${number} of ${seed}`));
			await writeFile(path, bytes);
			const start = process.cpuUsage();
			const outcome = await read(path, reasons);
			longest = Math.max(longest, millisecondsSince(start));
			if (outcome === 'read' || outcome === 'refused') ++ends[outcome];
			else t.fail(`mutation ${number} of seed ${seed}, ${what}: ${outcome}`);
			if (number === Math.floor(count / 4)) before = resident();
		}
	} finally {
		await rm(folder, {recursive: true});
	}
	const more = (resident() - before) / 2 ** 20;
	t.log(
		`${format}, ALEXNET_FUZZ_SEED=${seed}: ${ends.read} of ${count} were read, the others refused for ${reasons.size} ` +
			`reasons; ${Math.round(more)} MB more than at a quarter; the longest took ${Math.round(longest)} ms of processor time`,
	);
	t.true(ends.read > count * 0.02 && ends.refused > count * 0.1);
	t.true(longest < 5000, `${longest} ms`);
	t.true(more < 100);
}

async function wholeFile(path: string, format: Format): Promise<Buffer> {
	if (format === 'pth') return pthOf(torchvisionWeights());
	if (format.endsWith('caffemodel')) writeCaffeModel(path, caffeNet(), format.startsWith('old'));
	else {
		await using model = await tinyModel();
		await (format === 'onnx' ? exportOnnx : exportSafetensors)(model, path);
	}
	const bytes = await readFile(path);
	await importNet(path, filled(importOptions, {}));
	return bytes;
}

/** torchvision's alexnet with few channels: pooling leaves 6 x 6 pixels of each. */
function torchvisionWeights(): Record<string, ReturnType<typeof drawn>> {
	const shapes = {
		...{'features.0': [2, 3, 11, 11], 'features.3': [3, 2, 5, 5], 'features.6': [4, 3, 3, 3]},
		...{'features.8': [3, 4, 3, 3], 'features.10': [2, 3, 3, 3]},
		...{'classifier.1': [5, 72], 'classifier.4': [4, 5], 'classifier.6': [3, 4]},
	};
	const entries = Object.entries(shapes).flatMap(([module, shape]) => [
		[`${module}.weight`, drawn(shape, 0.1)] as const,
		[`${module}.bias`, drawn(shape.slice(0, 1), 0.1)] as const,
	]);
	return Object.fromEntries(entries);
}

async function read(path: string, reasons: Set<string>): Promise<string> {
	try {
		const {weights, statistics} = await importNet(path, filled(importOptions, {}));
		const isFinite = [...weights.values(), statistics.mean].every(allFinite);
		return isFinite ? 'read' : 'read with values that are not finite';
	} catch (error) {
		const {cause} = error as Error;
		// What a wrong file must not lead to: mistakes of ours (text that is no UTF-8 has a code), and arrays as long as it says.
		const isMistake = (cause instanceof TypeError && !('code' in cause)) || cause instanceof ReferenceError;
		const isGreedy = cause instanceof RangeError && /array length|allocation/i.test(cause.message);
		if (!isAlexNetError(error, 'ALEXNET_IMPORT') || isMistake || isGreedy)
			return String((cause as Error | undefined)?.stack ?? error);
		reasons.add(
			error.message
				.replace(path, '')
				.replaceAll(/[\d.]+/g, '#')
				.slice(0, 60),
		);
		return 'refused';
	}
}

function resident(): number {
	globalThis.gc?.();
	return process.memoryUsage.rss();
}
