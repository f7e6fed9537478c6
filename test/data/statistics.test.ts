import {join} from 'node:path';
import test from 'ava';
import {Dataset, type Picture} from '../../lib/data/dataset.ts';
import {principalComponents, StatisticsSums, type Symmetric3} from '../../lib/data/statistics.ts';
import {
	largestDifference,
	painted,
	paintedBytes,
	randomNumbers,
	temporaryFolder,
	writeFiles,
} from '../helpers/pictures.ts';

const side = 12;

/** Pictures [S, S, 3] whose channels are correlated, each with a cast of its own. */
function randomPictures(count: number, seed: number): Uint8Array[] {
	const random = randomNumbers(seed);
	return Array.from({length: count}, () => {
		const cast = random() * 120;
		return paintedBytes(side, side, () => {
			const light = random() * 90;
			return [cast + light, cast / 2 + light + random() * 20, 30 + light / 2 + random() * 60];
		});
	});
}

/** The definition, written plainly. */
function plainStatistics(pictures: readonly Uint8Array[]) {
	const mean = new Float64Array(side * side * 3);
	for (const picture of pictures) picture.forEach((value, i) => (mean[i]! += value / pictures.length));
	const rgb = pictures.flatMap((picture) =>
		Array.from({length: side * side}, (_, i) => [...picture.subarray(i * 3, i * 3 + 3)]),
	);
	const centre = [0, 1, 2].map((c) => rgb.reduce((sum, pixel) => sum + pixel[c]!, 0) / rgb.length);
	const covariance = [0, 1, 2].map((i) =>
		[0, 1, 2].map(
			(j) => rgb.reduce((sum, pixel) => sum + (pixel[i]! - centre[i]!) * (pixel[j]! - centre[j]!), 0) / rgb.length,
		),
	);
	return {mean, covariance};
}

test('mean and components are those of the definition', (t) => {
	for (const seed of [1, 2, 3]) {
		const pictures = randomPictures(7, seed);
		const sums = new StatisticsSums(side);
		for (const picture of pictures) sums.add(picture);
		const {mean, pca} = sums.result();
		const {mean: wantedMean, covariance} = plainStatistics(pictures);
		// float32 keeps 24 bits of values up to 255.
		t.true(largestDifference(mean, wantedMean) <= 255 * 2 ** -24);
		const trace = covariance[0]![0]! + covariance[1]![1]! + covariance[2]![2]!;
		for (let i = 0; i < 3; i++) {
			const vector = pca.vectors.subarray(i * 3, i * 3 + 3);
			const applied = covariance.map((row) => row.reduce((sum, x, j) => sum + x * vector[j]!, 0));
			// Rounding the vector and the value to float32 is all that is lost: some units of 2^-24 of the largest value.
			const bound = 8 * trace * 2 ** -24;
			t.true(
				largestDifference(
					applied,
					vector.map((x) => x * pca.values[i]!),
				) <= bound,
				`component ${i}`,
			);
			t.true(Math.abs(Math.hypot(...vector) - 1) <= 2 ** -22);
			const peak = vector.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
			t.true(peak > 0);
		}
		t.true(pca.values[0]! >= pca.values[1]! && pca.values[1]! >= pca.values[2]! && pca.values[2]! > 0);
		t.true(Math.abs(pca.values[0]! + pca.values[1]! + pca.values[2]! - trace) <= 4 * trace * 2 ** -24);
	}
});

test('the order of the pictures does not matter, to the last bit', (t) => {
	const pictures = randomPictures(9, 4);
	const results = [pictures, pictures.toReversed()].map((ordered) => {
		const sums = new StatisticsSums(side);
		for (const picture of ordered) sums.add(picture);
		return sums.result();
	});
	t.deepEqual(results[0], results[1]);
});

test('equal, diagonal and rank-one matrices have components', (t) => {
	const cases: readonly (readonly [Symmetric3, readonly number[]])[] = [
		[
			[0, 0, 0, 0, 0, 0],
			[0, 0, 0],
		],
		[
			[5, 0, 0, 5, 0, 5],
			[5, 5, 5],
		],
		[
			[1, 0, 0, 9, 0, 4],
			[9, 4, 1],
		],
		[
			[7, 7, 7, 7, 7, 7],
			[21, 0, 0],
		],
		[
			[2, -1, 0, 2, -1, 2],
			[2 + Math.SQRT2, 2, 2 - Math.SQRT2],
		],
	];
	for (const [matrix, values] of cases) {
		const components = principalComponents(matrix);
		t.true(
			largestDifference(
				components.map(({value}) => value),
				values,
			) <= 1e-12,
			`values of ${matrix.join(' ')}`,
		);
		for (let i = 0; i < 3; i++) {
			for (let j = 0; j < 3; j++) {
				const product = components[i]!.vector.reduce((sum, x, k) => sum + x * components[j]!.vector[k]!, 0);
				t.true(Math.abs(product - (i === j ? 1 : 0)) <= 1e-12, 'unit and at right angles');
			}
		}
	}
});

async function datasetOf(folder: string, pictures: readonly Uint8Array[], strict = false): Promise<Dataset> {
	const list: Picture[] = [];
	for (const [i, picture] of pictures.entries()) {
		const path = `${i}.png`;
		const png = await painted(side, side, (x, y) => {
			const at = (y * side + x) * 3;
			return [picture[at]!, picture[at + 1]!, picture[at + 2]!];
		})
			.png()
			.toBuffer();
		await writeFiles(folder, {[path]: png});
		list.push({path: join(folder, path), label: 0});
	}
	return new Dataset({labels: ['one'], pictures: list, imageSize: side, strict});
}

test('a dataset computes them once, without its unreadable pictures', async (t) => {
	const folder = await temporaryFolder(t);
	const pictures = randomPictures(20, 5);
	const dataset = await datasetOf(folder, pictures);
	await writeFiles(folder, {'3.png': 'damaged', '19.png': ''});
	const progress: number[] = [];
	const statistics = await dataset.statistics({
		onProgress: (done, total) => {
			progress.push(done);
			t.is(total, 20);
		},
	});
	const sums = new StatisticsSums(side);
	pictures.forEach((picture, i) => {
		if (i !== 3 && i !== 19) sums.add(picture);
	});
	t.deepEqual(statistics, sums.result());
	t.is(dataset.unreadable.size, 2);
	t.deepEqual(
		progress,
		progress.toSorted((a, b) => a - b),
	);
	t.is(progress.at(-1), 20);
	t.is(await dataset.statistics(), statistics);
});

test('without a readable picture there are none', async (t) => {
	const folder = await temporaryFolder(t);
	const dataset = await datasetOf(folder, randomPictures(2, 6));
	await writeFiles(folder, {'0.png': '', '1.png': ''});
	await t.throwsAsync(dataset.statistics(), {code: 'ALEXNET_PICTURE', message: /None of the 2 pictures/});
	const empty = new Dataset({labels: ['one'], pictures: []});
	await t.throwsAsync(empty.statistics(), {code: 'ALEXNET_ARGUMENT'});
});

test('a signal ends the computation, and the next call starts afresh', async (t) => {
	const folder = await temporaryFolder(t);
	const dataset = await datasetOf(folder, randomPictures(30, 7));
	const controller = new AbortController();
	const reason = new Error('enough');
	await t.throwsAsync(
		dataset.statistics({signal: controller.signal, onProgress: (done) => done === 5 && controller.abort(reason)}),
		{is: reason},
	);
	const {mean} = await dataset.statistics();
	t.true(mean.every((value) => value >= 0 && value <= 255));
});
