// What a run keeps of conv1 and of its predictions: few enough, and the same whether the run was killed or not.
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import sharp from 'sharp';
import {AlexNet, measureFilters, RunFolder, runFiles, trainRun, type SeenPicture} from '../../lib/index.ts';
import {readKernelHistory, thinned, type KernelSnapshot} from '../../lib/run/kernel-history.ts';
import {readPredictions} from '../../lib/run/predictions.ts';
import {tinyLabels, tinyNet, tinySource} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

const source = tinySource(48, String(Math.random()));
const validation = tinySource(30, String(Math.random()));

async function smallNet(t: ExecutionContext): Promise<AlexNet> {
	const model = AlexNet.uninitialized({architecture: tinyNet(), labels: tinyLabels, batchSize: 16, seed: 5});
	t.teardown(() => model.dispose());
	await model.initialize();
	return model;
}

const snapshot = (epoch: number): KernelSnapshot => ({
	...{step: epoch * 3, epoch, columns: []},
	kernels: {size: 1, pixels: `${epoch}`, measures: []},
});

function after(epochs: number, before: readonly KernelSnapshot[] = []): readonly KernelSnapshot[] {
	let history = before;
	for (let epoch = (before.at(-1)?.epoch ?? -1) + 1; epoch <= epochs; ++epoch) {
		history = thinned([...history, snapshot(epoch)]);
	}
	return history;
}

test('however long a run is, at most 33 snapshots keep their kernels and 513 their means, spread evenly', (t) => {
	for (const epochs of [0, 1, 31, 32, 90, 511, 512, 3000 + Math.floor(1000 * Math.random())]) {
		const history = after(epochs);
		const kept = history.filter(({kernels}) => kernels).map(({epoch}) => epoch);
		t.true(kept.length <= 33 && history.length <= 513, `${epochs}: ${kept.length} and ${history.length}`);
		t.true(kept.length > Math.min(epochs, 15), `${epochs}: ${kept.length}`);
		t.deepEqual([kept[0], kept.at(-1)], [0, epochs]);
		const steps = kept.slice(1, -1).map((epoch, index) => epoch - (kept[index] ?? 0));
		t.true(new Set(steps).size <= 1, kept.join());
		t.is(kept.at(-1), history.at(-1)?.epoch);
	}
});

test('what is kept does not depend on where a run was killed', (t) => {
	const epochs = 40 + Math.floor(200 * Math.random());
	const whole = after(epochs);
	const killed = Math.floor(epochs * Math.random());
	t.deepEqual(after(epochs, after(killed)), whole, `killed after epoch ${killed} of ${epochs}`);
});

test('a run keeps its kernels from before the first epoch on, with what is measured of them', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const model = await smallNet(t);
	const start = await measureFilters(model);
	await trainRun({run: await RunFolder.create(path, {}), model, source, validation, epochs: 2});
	const history = await readKernelHistory(join(path, runFiles.kernels));
	t.deepEqual(
		history.map(({step, epoch}) => [step, epoch]),
		[
			[0, 0],
			[3, 1],
			[6, 2],
		],
	);
	t.deepEqual(history[0]?.kernels?.measures, start.kernels);
	t.deepEqual(history[2]?.columns, (await measureFilters(model)).columns);
	const [kernels = 0, , size = 0] = model.parameters.find(({name}) => name === 'conv1.weight')?.shape ?? [];
	const {pixels = ''} = history[2]?.kernels ?? {};
	t.is(Buffer.from(pixels, 'base64').length, kernels * size * size * 3);
	t.not(pixels, history[0]?.kernels?.pixels);
});

test('what a run kept after its checkpoint is forgotten when it goes on; damage costs the history, not the run', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const model = await smallNet(t);
	await trainRun({run: await RunFolder.create(path, {}), model, source, validation, epochs: 1});
	const earlier = await AlexNet.load(join(path, runFiles.last));
	t.teardown(() => earlier.dispose());
	const kept = await readFile(join(path, runFiles.kernels), 'utf8');
	await trainRun({run: await RunFolder.resume(path, {}, model), model, source, validation, epochs: 2});
	t.is((await readKernelHistory(join(path, runFiles.kernels))).length, 3);
	t.is((await readPredictions(join(path, runFiles.predictions)))?.epoch, 2);
	await (await RunFolder.resume(path, {}, earlier)).close();
	t.is(await readFile(join(path, runFiles.kernels), 'utf8'), kept);
	t.is(await readPredictions(join(path, runFiles.predictions)), undefined);
	for (const name of [runFiles.kernels, runFiles.predictions]) await writeFile(join(path, name), '{"snapshots":[{');
	await trainRun({run: await RunFolder.resume(path, {}, earlier), model: earlier, source, validation, epochs: 2});
	const history = await readKernelHistory(join(path, runFiles.kernels));
	t.deepEqual(
		history.map(({epoch}) => epoch),
		[1, 2],
	);
});

test('predictions are what evaluating tells, the most certain first, with their pictures', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const model = await smallNet(t);
	let seen: SeenPicture[] = [];
	const onPicture = (picture: SeenPicture): void => void seen.push(picture);
	const run = await RunFolder.create(path, {});
	const named = {...validation, pictures: Array.from({length: 30}, (_, place) => ({path: `/a/b/c/${place}.png`}))};
	await trainRun({run, model, source, validation: named, epochs: 2, onPicture});
	t.is(seen.length, 60);
	seen = seen.slice(30);
	const {confusion} = await model.evaluate(validation);
	const found = (await readPredictions(join(path, runFiles.predictions)))!;
	t.like(found, {epoch: 2, step: 6});
	const counts = tinyLabels.map(() => new Uint32Array(tinyLabels.length));
	for (let at = 0; at < found.confusion.length; at += 3) {
		const [label = 0, told = 0, count = 0] = found.confusion.slice(at, at + 3);
		counts[label]![told] = count;
	}
	t.deepEqual(counts, [...confusion]);
	for (const [pictures, isRight] of [
		[found.hits, true],
		[found.mistakes, false],
	] as const) {
		const all = seen.filter(({label, top}) => (label === top[0]?.label) === isRight);
		const sorted = all.sort((a, b) => b.top[0]!.probability - a.top[0]!.probability || a.index - b.index);
		t.deepEqual(
			pictures.map(({index, top}) => ({index, top})),
			sorted.slice(0, 18).map(({index, top}) => ({index, top})),
		);
		for (const {index, name, thumbnail = ''} of pictures) {
			t.is(name, `c/${index}.png`);
			const picture = sharp(Buffer.from(thumbnail, 'base64'));
			t.like(await picture.metadata(), {format: 'jpeg', width: 96, height: 96});
			// The label's colour is the brightest on average, as tinySource paints it.
			const {channels} = await picture.stats();
			const means = channels.map(({mean}) => mean);
			t.is(means.indexOf(Math.max(...means)), seen.find((each) => each.index === index)!.label);
		}
	}
});

test('a net whose first layer has another name is trained, too', async (t) => {
	const path = join(await temporaryFolder(t), 'run');
	const net = tinyNet();
	const layers = net.layers.map((layer) => (layer.name === 'conv1' ? {...layer, name: 'stem'} : layer));
	const model = AlexNet.uninitialized({architecture: {...net, layers}, labels: tinyLabels, batchSize: 16});
	t.teardown(() => model.dispose());
	await model.initialize();
	await trainRun({run: await RunFolder.create(path, {}), model, source, epochs: 1});
	t.deepEqual(await readKernelHistory(join(path, runFiles.kernels)), []);
});
