// Loads checkpoints that went wrong, one after the other.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {isAlexNetError} from '../../lib/base/errors.ts';
import {allFinite} from '../../lib/base/finite.ts';
import {Model} from '../../lib/net/model.ts';
import {Random} from '../../lib/selftest/random.ts';
import {train} from '../../lib/training/trainer.ts';
import {fuzzSeed, millisecondsSince} from './fuzz-run.ts';
import {mutated} from './mutations.ts';
import {tinyModel, tinySource} from './networks.ts';

const megabyte = 2 ** 20;

/**
 * Each ends in a model of finite weights or in an error of ours; memory stays bounded, and so does the time.
 *
 * @param count how many; ALEXNET_FUZZ_SEED repeats those of a run that failed, each of them a function of its number
 */
export async function fuzzCheckpoints(t: ExecutionContext, count: number): Promise<void> {
	const seed = fuzzSeed();
	t.log(`ALEXNET_FUZZ_SEED=${seed}`);
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-fuzz-'));
	const path = join(folder, 'checkpoint.safetensors');
	const whole = await wholeFile(path);
	const ends = {loaded: 0, refused: 0};
	let before = 0;
	let longest = 0;
	try {
		for (let number = 0; number < count; ++number) {
			const {bytes, what} = mutated(whole, new Random(`${number} of ${seed}`));
			await writeFile(path, bytes);
			const start = process.cpuUsage();
			const outcome = await load(path, number % 2 === 0);
			longest = Math.max(longest, millisecondsSince(start));
			if (outcome !== 'loaded' && outcome !== 'refused') {
				t.fail(`mutation ${number} of seed ${seed}, ${what}: ${outcome}`);
			} else ++ends[outcome];
			if (number === Math.floor(count / 4)) before = resident();
		}
	} finally {
		await rm(folder, {recursive: true});
	}
	t.log(
		`${ends.loaded} of ${count} were loaded; ${Math.round((resident() - before) / megabyte)} MB more than at a quarter; ` +
			`the longest took ${Math.round(longest)} ms of processor time`,
	);
	t.true(ends.loaded > count * 0.02);
	t.true(ends.refused > count * 0.5);
	// Hundreds of times what one takes.
	t.true(longest < 5000, `${longest} ms`);
	t.true(resident() - before < 100 * megabyte);
}

/** With all that a checkpoint can have. */
async function wholeFile(path: string): Promise<Buffer> {
	await using model = await tinyModel({freeze: ['conv1']});
	for await (const report of train(model, tinySource(48, 'fuzz'), {epochs: 2})) if (report.step === 5) break;
	await saveCheckpoint(model, path);
	return await readFile(path);
}

async function load(path: string, inferenceOnly: boolean): Promise<string> {
	let outcome = 'loaded';
	try {
		await using model = await loadCheckpoint(path, {inferenceOnly}, (options) => new Model(options));
		const values = [...(await model.getParameters()).values()];
		if (!values.every(allFinite)) outcome = 'loaded with weights that are not finite';
	} catch (error) {
		outcome = isAlexNetError(error) ? 'refused' : String(error instanceof Error ? error.stack : error);
	}
	return outcome;
}

function resident(): number {
	globalThis.gc?.();
	return process.memoryUsage.rss();
}
