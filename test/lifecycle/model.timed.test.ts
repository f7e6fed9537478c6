// Models that come and go: memory and threads are those of before.
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {testOn} from '../helpers/devices.ts';
import {failSteps} from '../helpers/failed-steps.ts';
import {tinyModel, tinyPictures} from '../helpers/networks.ts';
import {usage} from '../helpers/usage.ts';
import type {Report} from '../helpers/usage-child.ts';

const child = fileURLToPath(new URL('../helpers/usage-child.ts', import.meta.url));

const {images, labels} = tinyPictures(4, 'cycles');

/**
 * Does it in a process of its own: there, what malloc keeps for threads that come and go does not wander by tens of MB, as
 * it has but one arena.
 */
async function repeat(what: string, hundreds: number, devices: readonly string[]): Promise<Report> {
	const args = ['--import=tsx', '--expose-gc', child, what, String(hundreds), ...devices];
	const env = {...process.env, MALLOC_ARENA_MAX: '1'};
	const {stdout} = await promisify(execFile)(process.execPath, args, {env});
	return JSON.parse(stdout) as Report;
}

for (const devices of [['cpu:0'], ['cpu:0', 'cpu:1']]) {
	testOn(devices, `1,000 models that make a step on ${devices.join(', ')} leave nothing behind`, async (t) => {
		const {after, held} = await repeat('models', 12, devices);
		// The first two hundred fill caches: of code, of small blocks, of threads' stacks.
		const [before, last] = [after[1]!, after.at(-1)!];
		t.is(last.threads, before.threads);
		const more = last.bytes - before.bytes;
		t.log(`${(more / 1e6).toFixed(1)} MB more than after 200; all held ${(held / 1e6).toFixed(0)} MB`);
		t.true(more < held / 16, `${more} bytes more`);
	});
}

test.serial('200 steps that are refused leave nothing behind, and the model goes on', async (t) => {
	const model = await tinyModel({devices: ['cpu:0', 'cpu:1']});
	const before = await model.trainStep({images, labels, update: false, augment: 'none'});
	await model.synchronize(); // The second device may still be at work, and pack weights for the first time.
	const {memory} = model;
	const {threads: busy} = await usage();
	const mistakes = [
		{code: 'ALEXNET_LABEL', change: {labels: [0, 1, 2, 3]}},
		{code: 'ALEXNET_SHAPE', change: {images: images.subarray(1)}},
		{code: 'ALEXNET_SHAPE', change: {labels: []}},
		{code: 'ALEXNET_LABEL', change: {labels: [0, 1, 0.5, 2]}},
	];
	for (let count = 0; count < 200; ++count) {
		const {code, change} = mistakes[count % mistakes.length]!;
		await t.throwsAsync(model.trainStep({images, labels, ...change}), {code});
	}
	t.deepEqual(model.memory, memory);
	t.is((await usage()).threads, busy);
	t.deepEqual(await model.trainStep({images, labels, update: false, augment: 'none'}), before);
	await model.dispose();
	t.is(model.memory.bytes, 0);
});

test.serial('200 steps that fail on the queue leave weights, tensors and threads as they were', async (t) => {
	const model = await tinyModel({devices: ['cpu:0', 'cpu:1']});
	const before = await model.trainStep({images, labels, update: false, augment: 'none'});
	const weights = await model.getParameters();
	await failSteps(model, {images, labels}, 2);
	const {bytes} = model.memory;
	const {threads: usual} = await usage();
	await failSteps(model, {images, labels}, 200);
	t.is(model.memory.bytes, bytes);
	t.is((await usage()).threads, usual);
	t.is(model.step, 0);
	t.deepEqual(await model.getParameters(), weights);
	t.deepEqual(await model.trainStep({images, labels, update: false, augment: 'none'}), before);
	await model.dispose();
	t.is(model.memory.bytes, 0);
});

test.serial('1,000 steps that fail on the queue take no memory', async (t) => {
	const {after} = await repeat('failed steps', 11, ['cpu:0', 'cpu:1']);
	const more = after.at(-1)!.bytes - after[0]!.bytes;
	t.log(`${(more / 1e6).toFixed(1)} MB more than after the first 100`);
	t.true(more < 15e6, `${more} bytes more`);
});

test.serial('models that nobody disposed of are collected while they work', async (t) => {
	for (let count = 0; count < 50; ++count) {
		const model = await tinyModel({devices: ['cpu:0', 'cpu:1']});
		void model.trainStep({images, labels});
		globalThis.gc?.();
	}
	await using model = await tinyModel();
	t.true(Number.isFinite((await model.trainStep({images, labels})).loss));
});
