// The event loop turns while the real net trains from a folder of pictures.
import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {shuffled} from '../../lib/base/random.ts';
import {divide} from '../../lib/data/division.ts';
import {AlexNet, ImageFolder} from '../../lib/index.ts';
import {Random} from '../../lib/selftest/random.ts';
import {busyTurns, timerGaps} from '../helpers/timer-gaps.ts';

type Size = readonly [width: number, height: number];

/** Of noise, in classes of equal size. */
async function makePictures(folder: string, count: number, classes: number, [width, height]: Size): Promise<void> {
	const random = new Random('event loop');
	for (let index = 0; index < count; ++index) {
		const own = join(folder, `class ${index % classes}`);
		await mkdir(own, {recursive: true});
		const pixels = Uint8Array.from({length: width * height * 3}, () => random.integer(256));
		const picture = sharp(pixels, {raw: {width, height, channels: 3}})
			.blur(3)
			.jpeg();
		await picture.toFile(join(own, `${index}.jpg`));
	}
}

test.serial('of the gaps of a 10 ms timer during training, 99.9 % are below 50 ms', async (t) => {
	t.timeout(240_000);
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-event-loop-'));
	try {
		await makePictures(folder, 192, 2, [320, 240]);
		// Nothing cached: every epoch decodes anew while the device computes.
		const data = await ImageFolder.open(folder, {validationFraction: 0.1, cacheBytes: 0});
		await using model = await AlexNet.create({
			labels: data.labels,
			init: 'source2012',
			learningRate: 1e-4,
			batchSize: 16,
		});
		await model.trainStep({images: new Uint8Array(16 * 256 * 256 * 3), labels: new Int32Array(16), update: false});
		const gaps = await timerGaps(async () => {
			const start = performance.now();
			for await (const report of model.train(data.train, {epochs: 90, validation: data.validation})) {
				if (report.type === 'epoch' && performance.now() - start > 30_000) break;
			}
		});
		gaps.sort((a, b) => b - a);
		const long = gaps.filter((gap) => gap >= 50);
		const worst = gaps.slice(0, 5).map((gap) => gap.toFixed(0));
		t.log(`${gaps.length} gaps, ${long.length} of 50 ms or more, the longest ${worst.join(', ')} ms`);
		t.true(gaps.length > 1500, `${gaps.length} gaps`);
		t.true(long.length / gaps.length <= 0.001);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
});

test.serial(
	'from the beginning of a run to its first step, the event loop works for less than 50 ms at a time',
	async (t) => {
		t.timeout(240_000);
		const folder = await mkdtemp(join(tmpdir(), 'alexnet-event-loop-'));
		try {
			await makePictures(folder, 1000, 25, [64, 64]);
			const data = await ImageFolder.open(folder, {validationFraction: 0.1});
			await using model = await AlexNet.create({labels: data.labels, init: 'source2012', batchSize: 4});
			await model.trainStep({images: new Uint8Array(4 * 256 * 256 * 3), labels: new Int32Array(4), update: false});
			const turns = await busyTurns(async () => {
				for await (const report of model.train(data.train, {epochs: 1, validation: data.validation})) {
					if (report.type === 'step') break;
				}
			});
			turns.sort((a, b) => b - a);
			t.log(
				`${turns.length} turns, the longest ${turns
					.slice(0, 5)
					.map((time) => time.toFixed(0))
					.join(', ')} ms`,
			);
			t.true(turns[0]! < 50);
		} finally {
			await rm(folder, {recursive: true, force: true});
		}
	},
);

test.serial('a million pictures are divided and shuffled in turns of less than 50 ms', async (t) => {
	const paths = Array.from({length: 1000}, (_, picture) => `${picture}.jpg`);
	const classes = Array.from({length: 1000}, (_, label) => ({label: `class ${label}`, folder: `${label}`, paths}));
	const turns = await busyTurns(async () => {
		const [train, heldOut] = await divide(classes, 0.1, 1);
		t.is(train[7]?.paths.length, 900);
		t.is(heldOut[7]?.paths.length, 100);
		const order = await shuffled(1_000_000, 1, 1);
		t.is(order.length, 1_000_000);
	});
	const longest = Math.max(...turns);
	t.log(`${turns.length} turns, the longest ${longest.toFixed(0)} ms`);
	t.true(longest < 50);
});
