// What a long run needs of the stream of batches: the event loop turns, memory stays bounded, stopping is prompt.
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import sharp from 'sharp';
import {Dataset} from '../../lib/data/dataset.ts';
import {decoderProcess} from '../../lib/data/decoder-process.ts';
import {painted, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';
import {timerGaps} from '../helpers/timer-gaps.ts';

/** A photograph's size and detail: 500 x 375 JPEG with smooth light and noise. */
async function photograph(seed: number): Promise<Buffer> {
	const random = randomNumbers(seed);
	const tilt = random() * 40;
	return painted(500, 375, (x, y) => {
		const light = 110 + 60 * Math.sin((x + tilt * y) / 90);
		return [light + random() * 30, light + random() * 20, 200 - light + random() * 30];
	})
		.jpeg({quality: 90})
		.toBuffer();
}

async function photographs(t: ExecutionContext, count: number): Promise<Dataset> {
	const folder = await temporaryFolder(t);
	const originals = await Promise.all([1, 2, 3, 4].map(photograph));
	const pictures = Array.from({length: count}, (_, i) => ({path: join(folder, `${i}.jpg`), label: 0}));
	for (let i = 0; i < count; i++) await writeFiles(folder, {[`${i}.jpg`]: originals[i % originals.length]!});
	return new Dataset({labels: ['one'], pictures});
}

const idle = (): boolean =>
	decoderProcess.pending === 0 && sharp.counters().process === 0 && sharp.counters().queue === 0;

/** Streams 300 pictures, streams them ten times from the cache, and sums them; the share of gaps below 50 ms in each. */
async function shortGaps(t: ExecutionContext, {labels, pictures}: Dataset): Promise<number[]> {
	const dataset = new Dataset({labels, pictures, cacheBudget: {bytes: 2 ** 30}});
	const stream = async (times: number): Promise<void> => {
		const order = Array.from({length: dataset.size * times}, (_, i) => i % dataset.size);
		for await (const batch of dataset.batches({batchSize: 50, order})) t.is(batch.labels.length, 50);
	};
	const statistics = async (): Promise<void> => {
		t.is((await dataset.statistics()).mean.length, 256 * 256 * 3);
	};
	const phases = [
		{name: 'decoding', count: 300, work: () => stream(1)},
		{name: 'cached', count: 3000, work: () => stream(10)},
		{name: 'statistics', count: 300, work: statistics},
	];
	const shares: number[] = [];
	for (const {name, count, work} of phases) {
		const start = performance.now();
		const gaps = await timerGaps(work);
		const rate = count / ((performance.now() - start) / 1000);
		const short = gaps.filter((gap) => gap < 50).length;
		t.log(`${name}: ${rate.toFixed(0)} pictures/s, ${short} of ${gaps.length} gaps below 50 ms`);
		shares.push(gaps.length > 0 ? short / gaps.length : 0);
	}
	return shares;
}

test.serial('the event loop turns while pictures stream, come from the cache, and are summed', async (t) => {
	const dataset = await photographs(t, 300);
	const shares = await shortGaps(t, dataset);
	t.true(
		shares.every((share) => share >= 0.97),
		`shares of short gaps: ${shares.join(', ')}`,
	);
});

test.serial('memory stays where it was over many batches', async (t) => {
	const dataset = await photographs(t, 64);
	const used = (): number => {
		globalThis.gc?.();
		return process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
	};
	const order = Array.from({length: 64 * 4}, (_, i) => i % 64);
	let largest = 0;
	const before = used();
	for await (const batch of dataset.batches({batchSize: 8, order})) {
		largest = Math.max(largest, used() - before);
		t.is(batch.labels.length, 8);
	}
	const batchBytes = 8 * 256 * 256 * 3;
	// Two ahead, one being made, the consumer's two, and room for the pictures in flight and the heap.
	t.true(largest < 10 * batchBytes, `${(largest / batchBytes).toFixed(1)} batches`);
	await pause(20);
	t.true(used() - before < 4 * batchBytes, 'and is given back');
});

test.serial('leaving the loop leaves nothing running', async (t) => {
	const dataset = await photographs(t, 64);
	for await (const batch of dataset.batches({batchSize: 8})) {
		t.is(batch.labels.length, 8);
		break;
	}
	t.true(idle(), JSON.stringify(sharp.counters()));
	await t.throwsAsync(
		async () => {
			for await (const batch of dataset.batches({batchSize: 8})) throw new Error(`consumer ${batch.labels.length}`);
		},
		{message: 'consumer 8'},
	);
	t.true(idle());
});

test.serial('a signal ends the batches with its reason, promptly, wherever they are', async (t) => {
	const dataset = await photographs(t, 64);
	const reason = new Error('stopped');
	const abandoned = dataset.batches({batchSize: 8, signal: AbortSignal.abort(reason)});
	await t.throwsAsync(abandoned.next(), {is: reason});

	const asking = new AbortController();
	const pending = dataset.batches({batchSize: 64, signal: asking.signal}).next();
	setTimeout(() => asking.abort(reason), 20);
	const start = performance.now();
	await t.throwsAsync(pending, {is: reason});
	t.true(performance.now() - start < 1000);
	t.true(idle());

	const between = new AbortController();
	const batches = dataset.batches({batchSize: 8, signal: between.signal});
	await batches.next();
	await pause(100); // Two more are ready.
	between.abort(reason);
	await t.throwsAsync(batches.next(), {is: reason});
	t.true(idle());
	t.true((await batches.next()).done);
});

test.serial('a consumer that never returns leaves no unhandled rejection', async (t) => {
	const dataset = await photographs(t, 64);
	const controller = new AbortController();
	const rejections: unknown[] = [];
	const note = (error: unknown): void => void rejections.push(error);
	process.on('unhandledRejection', note);
	t.teardown(() => process.off('unhandledRejection', note));
	await dataset.batches({batchSize: 8, signal: controller.signal}).next();
	controller.abort(new Error('stopped'));
	await pause(200);
	t.deepEqual(rejections, []);
	t.true(idle());
});
