// What evaluation tells of each picture and each class.
import test from 'ava';
import type {Batch, BatchOptions, PictureSource} from '../../lib/data/picture-source.ts';
import type {Architecture} from '../../lib/net/architecture.ts';
import type {Model} from '../../lib/net/model.ts';
import {Random} from '../../lib/selftest/random.ts';
import {evaluate, measuresOf, type SeenPicture} from '../../lib/training/evaluate.ts';
import {best} from '../../lib/training/ranking.ts';
import {tinyModel, tinyNet, tinyStatistics} from '../helpers/networks.ts';

const labels = ['zero', 'one', 'two', 'three', 'four', 'five', 'six'];
const pictureBytes = 32 * 32 * 3;

/** A net whose untrained guesses differ from picture to picture. */
function decidedNet(classes: number): Architecture {
	const net = tinyNet(classes);
	const layers = net.layers.map((layer) =>
		'initial' in layer ? {...layer, initial: {deviation: 0.08, bias: 0}} : layer,
	);
	return {...net, layers};
}

/** Noisy colours in classes of another order than the model's, at every other place, as if the others were unreadable. */
function noise(count: number, random: Random): PictureSource & {shown: number[]} {
	const colours = Array.from({length: 3 * count}, () => random.integer(230));
	const images = Uint8Array.from({length: count * pictureBytes}, (_, at) => {
		return colours[3 * Math.floor(at / pictureBytes) + (at % 3)]! + random.integer(26);
	});
	const order = [5, 0, 3, 6, 1]; // of the model's classes two have no pictures here
	const own = Array.from({length: count}, () => random.integer(order.length));
	return {
		shown: own.map((label) => order[label]!),
		labels: order.map((label) => labels[label]!),
		size: 2 * count,
		statistics: () => Promise.resolve(tinyStatistics),
		async *batches({batchSize}: BatchOptions): AsyncGenerator<Batch> {
			for (let start = 0; start < count; start += batchSize) {
				const end = Math.min(count, start + batchSize);
				await Promise.resolve();
				yield {
					images: images.slice(start * pictureBytes, end * pictureBytes),
					labels: Int32Array.from(own.slice(start, end)),
					indices: Int32Array.from({length: end - start}, (_, row) => 2 * (start + row) + 1),
				};
			}
		},
	};
}

async function modelOf(known: readonly string[]): Promise<Model> {
	const seed = Math.floor(Math.random() * 2 ** 32);
	return tinyModel({labels: known, architecture: decidedNet(known.length), seed});
}

test('each picture is told of in order, and agrees with a plain recount of predictions', async (t) => {
	await using model = await modelOf(labels);
	const source = noise(37, new Random(`recount ${Math.random()}`));
	const seen: SeenPicture[] = [];
	const counts: number[] = [];
	const evaluation = await evaluate(model, source, {
		onPicture: (picture) => seen.push(picture),
		onProgress: () => counts.push(seen.length),
	});
	const probabilities: number[] = [];
	for await (const {images} of source.batches({batchSize: 16})) probabilities.push(...(await model.predict(images)));
	const taken = labels.map(() => labels.map(() => 0));
	const expected = source.shown.map((label, place) => {
		const values = probabilities.slice(place * 7, place * 7 + 7);
		const top = values
			.map((probability, other) => ({label: other, probability}))
			.sort((a, b) => b.probability - a.probability)
			.slice(0, 5);
		taken[label]![top[0]!.label]! += 1;
		return {index: 2 * place + 1, label, loss: Math.abs(Math.log(values[label]!)), top};
	});
	t.true(new Set(expected.map(({top}) => top[0]!.label)).size > 1, 'the net tells more than one class');
	t.deepEqual(seen, expected);
	t.deepEqual(counts, [16, 32, 37], 'all of a batch before its progress');
	t.deepEqual(
		evaluation.confusion.map((row) => [...row]),
		taken,
	);
	t.true(evaluation.confusion.every((row) => row instanceof Uint32Array));
	evaluation.classes.forEach(({label, pictures, correct, takenFor}, place) => {
		const row = taken[place]!;
		t.deepEqual([label, pictures, correct], [labels[place], row.reduce((a, b) => a + b, 0), row[place]]);
		const most = Math.max(...row.map((number, other) => (other === place ? 0 : number)));
		t.is(takenFor?.pictures ?? 0, most);
	});
	t.is(evaluation.loss, seen.reduce((sum, {loss}) => sum + loss, 0) / 37);
	t.false('confusion' in measuresOf(evaluation));
});

test('fewer than five classes give fewer, and a certain one a loss of 0', async (t) => {
	await using model = await modelOf(labels.slice(0, 2));
	const seen: SeenPicture[] = [];
	const source = {...noise(5, new Random(`two ${Math.random()}`)), labels: ['one']};
	const one = {
		...source,
		async *batches(options: BatchOptions): AsyncGenerator<Batch> {
			for await (const batch of source.batches(options)) yield {...batch, labels: batch.labels.fill(0)};
		},
	};
	model.predict = () => Promise.resolve(Float32Array.from({length: 10}, (_, i) => i % 2));
	await evaluate(model, one, {onPicture: (picture) => seen.push(picture)});
	const top = [1, 0].map((label) => ({label, probability: label}));
	t.deepEqual(
		seen,
		[1, 3, 5, 7, 9].map((index) => ({index, label: 1, loss: 0, top})),
	);
});

test('where a probability is NaN no class is told, and none is counted', async (t) => {
	await using model = await modelOf(labels);
	const seen: SeenPicture[] = [];
	model.predict = () => Promise.resolve(new Float32Array(4 * 7).fill(0.1).fill(NaN, 8, 9));
	const source = noise(4, new Random(`NaN ${Math.random()}`));
	const {confusion, classes} = await evaluate(model, source, {onPicture: (picture) => seen.push(picture)});
	t.deepEqual(
		seen.map(({top}) => top.length),
		[5, 0, 5, 5],
	);
	const counted = confusion.map((row) => row.reduce((sum, number) => sum + number, 0));
	t.is(
		classes.reduce((sum, {pictures}) => sum + pictures, 0),
		4,
	);
	t.is(
		counted.reduce((sum, number) => sum + number, 0),
		3,
	);
	t.is(classes[source.shown[1]!]!.pictures - counted[source.shown[1]!]!, 1);
});

test('what onPicture throws ends the evaluation', async (t) => {
	await using model = await modelOf(labels);
	const onPicture = (): void => {
		throw new Error('no more');
	};
	await t.throwsAsync(evaluate(model, noise(20, new Random('throws')), {onPicture}), {message: 'no more'});
});

test('the best of many values are those that sorting all of them gives', (t) => {
	const random = new Random(`best ${Math.random()}`);
	for (let trial = 0; trial < 300; ++trial) {
		const levels = 1 + random.integer(trial % 2 === 0 ? 6 : 1000); // few levels: many ties
		const values = Float32Array.from({length: random.integer(60)}, () => random.integer(levels));
		const all = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
		const count = random.integer(70);
		t.deepEqual(best(values, count), all.slice(0, count));
	}
});
