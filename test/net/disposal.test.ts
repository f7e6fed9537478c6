// dispose() while a training loop runs and while a checkpoint is written.
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {AlexNet, ImageFolder, type PictureSource, type TrainReport} from '../../lib/index.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {tinyLabels, tinyNet, tinyPictures, tinyStatistics} from '../helpers/networks.ts';
import {writeSmallPictures} from '../helpers/small-runs.ts';

async function smallNet(): Promise<AlexNet> {
	const model = AlexNet.uninitialized({architecture: tinyNet(), labels: ['blue', 'green', 'red'], batchSize: 4});
	await model.initialize();
	return model;
}

/** After so many reports: 0 is while the statistics are taken, 11 within the second epoch of 10 steps. */
for (const reports of [0, 1, 11]) {
	test(`dispose during train() ends its loop with an error, after ${reports} reports`, async (t) => {
		const folder = await temporaryFolder(t);
		await writeSmallPictures(folder, 16);
		const {train, validation} = await ImageFolder.open(folder, {imageSize: 32, validationFraction: 0.2});
		const model = await smallNet();
		const loop = model.train(train, {epochs: 50, validation});
		const seen: TrainReport[] = [];
		const training = (async () => {
			while (seen.length < reports) {
				const {value} = await loop.next();
				if (value) seen.push(value);
			}
			const next = loop.next();
			const disposed = model.dispose();
			const [report] = await Promise.allSettled([next, disposed]);
			t.is(model.memory.bytes, 0);
			// A step that was under way has ended as it would have.
			if (report.status === 'rejected') throw report.reason;
			await loop.next();
		})();
		await t.throwsAsync(training, {code: 'ALEXNET_DISPOSED'});
		t.is(seen.length, reports);
		t.deepEqual(await loop.next(), {value: undefined, done: true});
		await t.throwsAsync(model.train(train, {validation}).next(), {code: 'ALEXNET_DISPOSED'});
	});
}

test('after dispose a source of pictures is asked for nothing', async (t) => {
	const model = await smallNet();
	await model.dispose();
	const asked: string[] = [];
	const note = (what: string) => (): never => {
		asked.push(what);
		throw new Error(what);
	};
	const source: PictureSource = {
		...{labels: ['other', 'classes'], size: 1},
		...{batches: note('batches'), statistics: note('statistics')},
		...{check: note('check'), contents: note('contents'), leaveOut: note('leaveOut')},
	};
	await t.throwsAsync(model.train(source, {validation: source}).next(), {code: 'ALEXNET_DISPOSED'});
	await t.throwsAsync(model.evaluate(source), {code: 'ALEXNET_DISPOSED'});
	t.deepEqual(asked, []);
});

test('dispose waits for a save() under way, and what it writes is whole', async (t) => {
	const folder = await temporaryFolder(t);
	const [path, late] = [join(folder, 'net'), join(folder, 'late')];
	const model = await smallNet();
	model.statistics = tinyStatistics;
	const {images, labels} = tinyPictures(4, `disposal ${Math.random()}`);
	await model.trainStep({images, labels});
	const [weights, {step}] = [await model.getParameters(), model];
	const saving = model.save(path);
	const disposed = model.dispose();
	await t.throwsAsync(model.save(late), {code: 'ALEXNET_DISPOSED'});
	await disposed;
	t.is(model.memory.bytes, 0);
	t.deepEqual(await readdir(folder), ['net'], 'whole when dispose has ended, and nothing beside it');
	await saving;
	await using loaded = await AlexNet.load(path);
	t.deepEqual(await loaded.getParameters(), weights);
	t.is(loaded.step, step);
	t.is(loaded.labels.length, tinyLabels.length);
});
