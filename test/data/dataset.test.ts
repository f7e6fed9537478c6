import {rm} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Dataset} from '../../lib/data/dataset.ts';
import type {Batch, BatchOptions} from '../../lib/data/picture-source.ts';
import {plainPicture, temporaryFolder, writeFiles, type Rgb} from '../helpers/pictures.ts';

const side = 8;
const bytesEach = side * side * 3;
/** Tells pictures apart by one value. */
const colourOf = (index: number): Rgb => [index, 255 - index, (index * 7) % 256];

async function colours(t: ExecutionContext, count: number, options: {strict?: boolean; cacheBytes?: number} = {}) {
	const folder = await temporaryFolder(t);
	const pictures = Array.from({length: count}, (_, i) => ({path: join(folder, `${i}.png`), label: i % 3}));
	for (let i = 0; i < count; i++) await writeFiles(folder, {[`${i}.png`]: await plainPicture(colourOf(i), side)});
	const cacheBudget = {bytes: options.cacheBytes ?? 0};
	const dataset = new Dataset({
		labels: ['a', 'b', 'c'],
		pictures,
		imageSize: side,
		strict: options.strict,
		cacheBudget,
	});
	return {folder, dataset, cacheBudget};
}

/** Batches with memory of their own. */
async function collect(dataset: Dataset, options: BatchOptions): Promise<Batch[]> {
	const batches: Batch[] = [];
	for await (const batch of dataset.batches(options)) batches.push({...batch, images: batch.images.slice()});
	return batches;
}

function checkPixels(t: ExecutionContext, {images, labels, indices}: Batch): void {
	t.is(images.length, indices.length * bytesEach);
	indices.forEach((index, row) => {
		const picture = images.subarray(row * bytesEach, (row + 1) * bytesEach);
		t.true(
			picture.every((value, i) => value === colourOf(index)[i % 3]),
			`row ${row} is picture ${index}`,
		);
		t.is(labels[row], index % 3);
	});
}

const indicesOf = (batches: readonly Batch[]): number[][] => batches.map(({indices}) => [...indices]);

test('batches hold the pictures in their order; the last may be short', async (t) => {
	const {dataset} = await colours(t, 10);
	const batches = await collect(dataset, {batchSize: 4});
	t.deepEqual(indicesOf(batches), [
		[0, 1, 2, 3],
		[4, 5, 6, 7],
		[8, 9],
	]);
	for (const batch of batches) checkPixels(t, batch);
	t.true(batches.every(({indices, labels}) => indices instanceof Int32Array && labels instanceof Int32Array));
	t.deepEqual(indicesOf(await collect(dataset, {batchSize: 4, dropLast: true})), [
		[0, 1, 2, 3],
		[4, 5, 6, 7],
	]);
	t.deepEqual(indicesOf(await collect(dataset, {batchSize: 5, dropLast: true})), [
		[0, 1, 2, 3, 4],
		[5, 6, 7, 8, 9],
	]);
	t.deepEqual(indicesOf(await collect(dataset, {batchSize: 99})), [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
	t.deepEqual(indicesOf(await collect(dataset, {batchSize: 99, dropLast: true})), []);
});

test('any order, with repeats, and as far ahead as asked', async (t) => {
	const {dataset} = await colours(t, 6);
	for (const ahead of [0, 1, 2, 9]) {
		const batches = await collect(dataset, {batchSize: 2, order: new Uint32Array([5, 0, 5, 3, 1]), ahead});
		t.deepEqual(indicesOf(batches), [[5, 0], [5, 3], [1]]);
		for (const batch of batches) checkPixels(t, batch);
	}
	t.deepEqual(await collect(dataset, {batchSize: 2, order: []}), []);
});

test('the same with and without a cache, which is bounded', async (t) => {
	const room = 4 * bytesEach + 1;
	const {folder, dataset, cacheBudget} = await colours(t, 9, {cacheBytes: room});
	const order = [8, 2, 2, 5, 0, 1, 7, 3];
	const first = await collect(dataset, {batchSize: 3, order});
	t.is(cacheBudget.bytes, 1);
	t.deepEqual(await collect(dataset, {batchSize: 3, order}), first);
	for (const batch of first) checkPixels(t, batch);
	// What was kept needs no file any more: the first four of the order, 2 being there twice.
	await writeFiles(folder, {'notes.txt': 'An empty folder would be a drive that is away.'});
	for (let i = 0; i < 9; i++) await rm(join(folder, `${i}.png`));
	t.deepEqual(indicesOf(await collect(dataset, {batchSize: 9})), [[0, 2, 5, 8]]);
	t.is(dataset.unreadable.size, 5);
});

test('unreadable pictures are named, left out, and their places filled', async (t) => {
	const {folder, dataset} = await colours(t, 12);
	await writeFiles(folder, {
		'0.png': '',
		'4.png': 'no picture',
		'5.png': (await plainPicture([1, 1, 1])).subarray(0, 50),
	});
	await rm(join(folder, '11.png'));
	t.is(dataset.unreadable.size, 0);
	for (let epoch = 0; epoch < 2; epoch++) {
		const batches = await collect(dataset, {batchSize: 3});
		t.deepEqual(indicesOf(batches), [
			[1, 2, 3],
			[6, 7, 8],
			[9, 10],
		]);
		for (const batch of batches) checkPixels(t, batch);
	}
	const reasons = [...dataset.unreadable].map(([path, reason]) => `${path.slice(folder.length + 1)}: ${reason}`);
	t.deepEqual(reasons, [
		'0.png: it is empty (0 bytes)',
		'4.png: it is not a JPEG, PNG, WebP, GIF or TIFF picture',
		'5.png: the PNG data is cut short after 50 bytes',
		'11.png: there is no such file',
	]);
	t.is(dataset.size, 12);
});

test('a strict dataset stops at the first unreadable picture of the order', async (t) => {
	const {folder, dataset} = await colours(t, 9, {strict: true});
	await writeFiles(folder, {'7.png': '', '4.png': ''});
	const seen: number[] = [];
	const error = await t.throwsAsync(
		async () => {
			for await (const {indices} of dataset.batches({batchSize: 2})) seen.push(...indices);
		},
		{code: 'ALEXNET_PICTURE'},
	);
	t.regex(error.message, /4\.png.*empty/);
	t.deepEqual(seen, [0, 1, 2, 3]);
	await t.throwsAsync(collect(dataset, {batchSize: 2}), {code: 'ALEXNET_PICTURE'}, 'and does so again');
});

test('an order of unreadable pictures alone is an error', async (t) => {
	const {folder, dataset} = await colours(t, 5);
	await writeFiles(folder, {'1.png': '', '3.png': ''});
	for (let i = 0; i < 2; i++) {
		await t.throwsAsync(collect(dataset, {batchSize: 2, order: [3, 1]}), {
			code: 'ALEXNET_PICTURE',
			message: /None of the 2 pictures can be read; the first is '.*3\.png': it is empty/,
		});
	}
	t.deepEqual(indicesOf(await collect(dataset, {batchSize: 2, order: [3, 1, 2]})), [[2]]);
});

test('a batch stays as it is until the next but one is asked for', async (t) => {
	const {dataset} = await colours(t, 40);
	const batches = dataset.batches({batchSize: 2, ahead: 3});
	const memory = new Set<ArrayBufferLike>();
	let held: Batch | undefined;
	let next = await batches.next();
	while (!next.done) {
		const current = next.value;
		memory.add(current.images.buffer);
		next = await batches.next();
		await new Promise((resolve) => setTimeout(resolve, 5)); // Time enough to overwrite it.
		checkPixels(t, current);
		t.not(current, held);
		held = current;
	}
	t.true(memory.size <= 7, `${memory.size} buffers for 20 batches`); // ahead + one being made + the consumer's two + 1
});

test('nothing is read before the first batch is asked for, nor further than asked', async (t) => {
	const {dataset, cacheBudget} = await colours(t, 60, {cacheBytes: 1e9}); // The cache shows what has been read.
	const batches = dataset.batches({batchSize: 2, ahead: 2});
	await new Promise((resolve) => setTimeout(resolve, 50));
	t.is(cacheBudget.bytes, 1e9);
	await batches.next();
	await new Promise((resolve) => setTimeout(resolve, 200));
	const read = (1e9 - cacheBudget.bytes) / bytesEach;
	t.true(read >= 6 && read <= 6 + 2 * availableParallelism() + 1, `${read} pictures for a batch and two ahead`);
	await batches.return();
});

test('leaving gives up the batches ahead', async (t) => {
	const {dataset, cacheBudget} = await colours(t, 90, {cacheBytes: 1e9});
	const batches = dataset.batches({batchSize: 2, ahead: 40});
	await batches.next();
	const before = cacheBudget.bytes;
	await batches.return();
	const read = (before - cacheBudget.bytes) / bytesEach;
	t.true(read <= 2 * (2 * availableParallelism() + 1), `${read} more pictures`);
	t.true((await batches.next()).done);
});

test('options and labels that cannot be are refused at once', async (t) => {
	const {dataset} = await colours(t, 3);
	const bad: BatchOptions[] = [
		{batchSize: 0},
		{batchSize: 1.5},
		{batchSize: NaN},
		{batchSize: 2, ahead: -1},
		{batchSize: 2, order: [0, 3]},
		{batchSize: 2, order: [-1]},
		{batchSize: 2, order: [0.5]},
	];
	for (const options of bad) {
		t.throws(() => dataset.batches(options), {code: 'ALEXNET_ARGUMENT'}, JSON.stringify(options));
	}
	t.throws(() => new Dataset({labels: ['a'], pictures: [{path: 'x.png', label: 1}]}), {
		code: 'ALEXNET_LABEL',
		message: /'x\.png' has label 1; with 1 classes, labels are 0 to 0/,
	});
});
