// Training while the next batch is on its way: the same bits, whatever happens between and at steps. On GPUs batches come
// beside the work; on the CPU, which runs the same tests, they do not.
import test from 'ava';
import {shuffled} from '../../lib/base/random.ts';
import {Dataset} from '../../lib/data/dataset.ts';
import type {Batch, BatchOptions, PictureSource} from '../../lib/data/picture-source.ts';
import {listDevices} from '../../lib/device/device.ts';
import type {Model} from '../../lib/net/model.ts';
import type {Precision} from '../../lib/net/options.ts';
import {train} from '../../lib/training/trainer.ts';
import {meetingNet, tinyLabels, tinyModel, tinyPictures, tinySource, tinyStatistics} from '../helpers/networks.ts';

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const placements: readonly {devices: readonly string[]; precision: Precision}[] = [
	{devices: ['cpu:0'], precision: 'fp32'},
	...(boards[0]
		? ([
				{devices: [boards[0]], precision: 'fp32'},
				{devices: [boards[0], boards[1] ?? boards[0]], precision: 'bf16'},
			] as const)
		: []),
];

const bytesEach = 32 * 32 * 3;
const pictures = tinyPictures(40, 'ahead');

/** As a folder's: batches are assembled ahead, in memory that is used again. */
const dataset = (): Dataset =>
	new Dataset({
		labels: tinyLabels,
		pictures: Array.from(pictures.labels, (label, index) => ({path: `${index}`, label})),
		imageSize: 32,
		decode: (path) => Promise.resolve(pictures.images.slice(Number(path) * bytesEach, (Number(path) + 1) * bytesEach)),
	});

/** Its batches by another way. */
function through(batches: (source: Dataset, options: BatchOptions) => AsyncGenerator<Batch>): PictureSource {
	const source = dataset();
	return {
		...{labels: source.labels, size: source.size},
		statistics: () => source.statistics(),
		contents: (unread) => source.contents(unread),
		batches: (options) => batches(source, options),
	};
}

interface Ended {
	losses: number[];
	weights: Map<string, Float32Array>;
}

/** Steps one by one, each on a batch that nobody knew of before. */
async function stepByStep(model: Model, epochs: number): Promise<Ended> {
	const losses: number[] = [];
	for (let epoch = 1; epoch <= epochs; epoch++) {
		const order = await shuffled(40, model.seed, epoch);
		for (let start = 0; start + 8 <= 40; start += 8) {
			const indices = order.slice(start, start + 8);
			const images = new Uint8Array(8 * bytesEach);
			for (const [row, index] of indices.entries()) {
				images.set(pictures.images.subarray(index * bytesEach, (index + 1) * bytesEach), row * bytesEach);
			}
			const labels = indices.map((index) => pictures.labels[index]!);
			losses.push((await model.trainStep({images, labels, indices, epoch})).loss);
		}
	}
	return {losses, weights: await model.getParameters()};
}

async function trained(model: Model, epochs: number, between: (step: number) => Promise<unknown>): Promise<Ended> {
	const losses: number[] = [];
	for await (const report of train(model, dataset(), {epochs, batchSize: 8, validation: tinySource(9, 'held out')})) {
		if (report.type === 'epoch') continue;
		losses.push(report.loss);
		await between(report.step);
	}
	return {losses, weights: await model.getParameters()};
}

for (const {devices, precision} of placements) {
	const title = (what: string): string => `${what} [${devices.join(', ')}] (${precision})`;
	const fresh = (): Promise<Model> =>
		tinyModel({architecture: meetingNet(), devices, precision, batchSize: 8, learningRate: 0.01});

	test.serial(title('train() ends with the bits of steps made one by one'), async (t) => {
		await using alone = await fresh();
		const expected = await stepByStep(alone, 2);
		t.is(new Set(expected.losses).size, 10);
		await using model = await fresh();
		t.deepEqual(await trained(model, 2, () => Promise.resolve()), expected);
	});

	test.serial(title('so it does where steps of another size, predictions and readings come between'), async (t) => {
		await using alone = await fresh();
		const expected = await stepByStep(alone, 2);
		await using model = await fresh();
		const gradients: Map<string, Float32Array>[] = [];
		const {images, labels} = tinyPictures(5, 'between');
		const between = [
			() => model.predict(images),
			async () => gradients.push(await model.gradients(), await model.gradients()),
			() => model.trainStep({images, labels, update: false}),
			() =>
				model.trainStep({images: pictures.images.slice(0, 8 * bytesEach), labels: new Uint8Array(8), update: false}),
			() => model.synchronize(),
		];
		t.deepEqual(await trained(model, 2, (step) => between[step % between.length]!()), expected);
		const [first, again] = gradients;
		t.deepEqual(first, again);
		t.true(first!.get('conv1.weight')!.some((value) => value !== 0));
	});

	test.serial(title('new statistics between two steps are those of the next'), async (t) => {
		const {pca} = tinyStatistics;
		const brighter = {mean: new Float32Array(bytesEach).fill(90), pca: {...pca, values: pca.values.map((v) => v / 3)}};
		await using model = await fresh();
		const steps: number[] = [];
		for await (const report of train(model, dataset(), {epochs: 1, batchSize: 8})) {
			if (report.type === 'step') steps.push(report.loss);
			if (report.step === 2) model.statistics = brighter;
		}
		await using alone = await fresh();
		const [first, second] = (await stepByStep(alone, 1)).losses;
		t.deepEqual(steps.slice(0, 2), [first, second]);
		await using changed = await fresh();
		for await (const report of train(changed, dataset(), {epochs: 1, batchSize: 8})) if (report.step === 2) break;
		changed.statistics = brighter;
		const rest: number[] = [];
		for await (const report of train(changed, dataset(), {epochs: 1, batchSize: 8})) {
			if (report.type === 'step') rest.push(report.loss);
		}
		t.deepEqual(steps.slice(2), rest);
	});

	test.serial(title('a batch that is refused ends training at its own step, after those before it'), async (t) => {
		const spoilt = (spoil: (batch: Batch) => Batch): PictureSource =>
			through(async function* (source, options) {
				let count = 0;
				for await (const batch of source.batches(options)) yield ++count === 3 ? spoil(batch) : batch;
			});
		const failure = new Error('the source has failed');
		const spoils: readonly [Parameters<typeof spoilt>[0], object][] = [
			[(batch) => ({...batch, labels: batch.labels.map(() => 3)}), {code: 'ALEXNET_LABEL'}],
			[(batch) => ({...batch, images: batch.images.subarray(1)}), {code: 'ALEXNET_SHAPE'}],
			[
				() => {
					throw failure;
				},
				{is: failure},
			],
		];
		await using alone = await fresh();
		const {losses} = await stepByStep(alone, 1);
		for (const [spoil, expectation] of spoils) {
			await using model = await fresh();
			const made: number[] = [];
			const run = async (): Promise<void> => {
				for await (const report of train(model, spoilt(spoil), {epochs: 1, batchSize: 8})) made.push(report.loss);
			};
			await t.throwsAsync(run(), expectation);
			t.deepEqual(made, losses.slice(0, 2));
			t.is(model.step, 2);
			t.is(model.progress?.epoch.steps, 2);
			for await (const report of train(model, dataset(), {epochs: 1, batchSize: 8})) {
				if (report.type === 'step') made.push(report.loss);
			}
			t.deepEqual(made, losses, 'and the model that is left goes on');
		}
	});

	test.serial(title('left, or aborted, while the next batch is on its way, it is of whole steps'), async (t) => {
		await using alone = await fresh();
		const expected = await stepByStep(alone, 1);
		for (const leave of ['break', 'abort', 'throw'] as const) {
			await using model = await fresh();
			const {bytes} = model.memory;
			const losses: number[] = [];
			const controller = new AbortController();
			const reason = new Error(leave);
			const run = async (): Promise<void> => {
				const options = {epochs: 1, batchSize: 8, signal: controller.signal};
				for await (const report of train(model, dataset(), options)) {
					losses.push(report.loss);
					if (report.step < 3) continue;
					if (leave === 'break') break;
					if (leave === 'throw') throw reason;
					controller.abort(reason);
				}
			};
			if (leave === 'break') await run();
			else await t.throwsAsync(run(), {is: reason});
			t.is(model.step, 3, leave);
			for await (const report of train(model, dataset(), {epochs: 1, batchSize: 8})) {
				if (report.type === 'step') losses.push(report.loss);
			}
			t.deepEqual({losses, weights: await model.getParameters()}, expected, leave);
			t.true(model.memory.bytes > bytes);
		}
	});

	test.serial(
		title('a source that takes its time is not waited for with a result, nor when training is left'),
		async (t) => {
			await using model = await fresh();
			let release = (): void => undefined;
			const late = new Promise<void>((resolve) => (release = resolve));
			const slow = through(async function* (source, options) {
				let count = 0;
				options.signal?.addEventListener('abort', release);
				for await (const batch of source.batches(options)) {
					if (++count === 2) await late;
					yield batch;
				}
			});
			for await (const report of train(model, slow, {epochs: 1, batchSize: 8})) {
				t.is(report.step, 1);
				break;
			}
			t.is(model.step, 1);
		},
	);

	test.serial(title("a run's batches lie in the same memory, epoch after epoch"), async (t) => {
		await using model = await fresh();
		const seen = new Set<ArrayBufferLike>();
		const watched = through(async function* (source, options) {
			for await (const batch of source.batches(options)) {
				seen.add(batch.images.buffer);
				yield batch;
			}
		});
		const counts: number[] = [];
		for await (const report of train(model, watched, {epochs: 3, batchSize: 8})) {
			if (report.type === 'epoch') counts.push(seen.size);
		}
		t.true(counts[0]! <= 5, `${counts[0]} batches`);
		t.deepEqual(counts, [counts[0], counts[0], counts[0]]);
	});
}
