// Models that come and go: memory and threads are those of before.
import {readdirSync} from 'node:fs';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {Model} from '../../lib/net/model.ts';
import {testOn} from '../helpers/devices.ts';
import {tinyModel, tinyPictures} from '../helpers/networks.ts';
import {queueFailure} from '../helpers/queue-work.ts';

const {images, labels} = tinyPictures(4, 'cycles');

const threads = (): number => readdirSync('/proc/self/task').length;

/**
 * Threads of this process, and its resident memory in bytes, when all garbage is collected: a device's thread ends with
 * the last object that refers to it, and the collector's finalizers run when the event loop turns.
 */
async function usage(): Promise<{threads: number; bytes: number}> {
	let [fewest, unchanged] = [threads(), 0];
	while (unchanged < 20) {
		globalThis.gc?.();
		await setTimeout(5);
		unchanged = threads() < fewest ? 0 : unchanged + 1;
		fewest = Math.min(fewest, threads());
	}
	return {threads: threads(), bytes: process.memoryUsage.rss()};
}

/** Tells the bytes of tensor memory that the model held. */
async function cycle(devices: readonly string[]): Promise<number> {
	const model = await tinyModel({devices, batchSize: 4});
	await model.trainStep({images, labels});
	const {bytes} = model.memory;
	await model.dispose();
	return bytes;
}

for (const devices of [['cpu:0'], ['cpu:0', 'cpu:1']]) {
	testOn(devices, `1,000 models that make a step on ${devices.join(', ')} leave nothing behind`, async (t) => {
		let held = 0;
		const cycles = async (count: number): Promise<Awaited<ReturnType<typeof usage>>> => {
			for (let done = 0; done < count; ++done) held += await cycle(devices);
			return usage();
		};
		// The first ones fill caches: of code, of small blocks, of threads' stacks.
		const before = await cycles(300);
		held = 0;
		// What malloc keeps for threads that come and go wanders by some 60 MB and does not grow: the least of it counts.
		const after = [await cycles(800), await cycles(100), await cycles(100)];
		for (const {threads} of after) t.is(threads, before.threads);
		const more = Math.min(...after.map(({bytes}) => bytes)) - before.bytes;
		t.log(`${(more / 1e6).toFixed(1)} MB more than after the first 300; the 1,000 held ${(held / 1e6).toFixed(0)} MB`);
		t.true(more < held / 8, `${more} bytes more`);
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

/**
 * Makes steps that fail on the queue, on each device in turn. A device's queue takes other operations than the net's, too.
 * When one has failed, a step that is queued behind it is skipped there, and on the other device it fails in its midst,
 * where it waits for the first one's column.
 */
async function failSteps(t: ExecutionContext, model: Model, steps: number): Promise<void> {
	const parts = model.parameters.flatMap((parameter) => parameter.parts);
	const devices = model.devices.map((id) => parts.find(({device}) => device === id)!.memory.device);
	for (let count = 0; count < steps; ++count) {
		queueFailure(devices[count % devices.length]!);
		const step = model.trainStep({images, labels});
		await t.throwsAsync(step, {code: 'ALEXNET_LABEL', message: /^softmaxLoss: label 7 of picture 0/});
	}
}

test.serial('200 steps that fail on the queue leave weights, tensors and threads as they were', async (t) => {
	const model = await tinyModel({devices: ['cpu:0', 'cpu:1']});
	const before = await model.trainStep({images, labels, update: false, augment: 'none'});
	const weights = await model.getParameters();
	await failSteps(t, model, 2);
	const {bytes} = model.memory;
	const {threads: usual} = await usage();
	await failSteps(t, model, 200);
	t.is(model.memory.bytes, bytes);
	t.is((await usage()).threads, usual);
	t.is(model.step, 0);
	t.deepEqual(await model.getParameters(), weights);
	t.deepEqual(await model.trainStep({images, labels, update: false, augment: 'none'}), before);
	await model.dispose();
	t.is(model.memory.bytes, 0);
});

test.serial('1,000 steps that fail on the queue take no memory', async (t) => {
	await using model = await tinyModel({devices: ['cpu:0', 'cpu:1']});
	await failSteps(t, model, 100);
	const before = await usage();
	await failSteps(t, model, 1000);
	const more = (await usage()).bytes - before.bytes;
	t.log(`${(more / 1e6).toFixed(1)} MB more than after the first 100`);
	// What malloc keeps grows by some 20 MB and then no more, also where no step fails.
	t.true(more < 30e6, `${more} bytes more`);
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
