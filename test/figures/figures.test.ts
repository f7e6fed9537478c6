// The paper's figure 4 from a small net: which pictures are shown, and that what is drawn is what the net says.
import {spawnSync} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import sharp from 'sharp';
import {shuffled} from '../../lib/base/random.ts';
import {AlexNet, Dataset, decodePicture, drawNeighbours, drawPredictions, isAlexNetError} from '../../lib/index.ts';
import {tinyNet, tinyStatistics} from '../helpers/networks.ts';
import {blocks, painted, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const labels = ['<cat> & "dog"', 'green\u0007', 'ångström'];
const seed = Date.now() % 1e6;

async function smallModel(): Promise<AlexNet> {
	const model = AlexNet.uninitialized({architecture: tinyNet(3), labels, batchSize: 4, seed});
	await model.initialize();
	model.statistics = tinyStatistics;
	return model;
}

/** Patterned pictures, all different. */
async function pictures(t: ExecutionContext, count: number, beginning: string): Promise<Dataset> {
	const folder = await temporaryFolder(t);
	const names = Array.from({length: count}, (_, index) => `${beginning}${index}.png`);
	const random = randomNumbers(seed + count);
	for (const name of names) {
		const picture = painted(32, 32, blocks(4 + Math.floor(random() * 9), Math.floor(random() * 2 ** 32)));
		await writeFiles(folder, {[name]: await picture.png().toBuffer()});
	}
	const listed = names.map((name, index) => ({path: join(folder, name), label: index % 3}));
	return new Dataset({labels, pictures: listed, imageSize: 32});
}

const red = '#f28e8e';
const unescaped = (text: string): string =>
	text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

test('bars are the net’s probabilities, the right label is red, and a draw chooses the pictures', async (t) => {
	const folder = await temporaryFolder(t);
	await using model = await smallModel();
	const source = await pictures(t, 11, 'p');
	const order = [...(await shuffled(11, seed, 0))];
	const broken = order[2]!;
	await writeFile(source.pictures[broken]!.path, 'This is no picture.');
	const path = join(folder, 'figure.svg');
	const shown = await drawPredictions(model, source, path, {seed, count: 6});
	t.deepEqual(
		shown.map(({index}) => index),
		order.filter((index) => index !== broken).slice(0, 6),
		'the first of the draw that can be read',
	);
	const svg = await readFile(path, 'utf8');
	t.is(svg.match(/<image /g)?.length, 6);
	t.false(svg.includes('\u0007'), 'no control character, which XML refuses');
	t.deepEqual((await sharp(Buffer.from(svg)).metadata()).format, 'svg', 'it can be parsed');
	const names = [...svg.matchAll(/font-weight="bold"[^>]*>([^<]*)</g)].map(([, name = '']) => unescaped(name));
	t.deepEqual(
		names,
		shown.map(({index}) => labels[index % 3]!.replace('\u0007', '\uFFFD')),
	);
	const bars = [...svg.matchAll(/<rect width="([\d.]+)" height="18" fill="([^"]+)"\/>.*?font-size="12">([^<]*)</g)];
	t.is(bars.length, 18, 'three classes');
	for (const [row, picture] of shown.entries()) {
		const told = await model.classify(source.pictures[picture.index]!.path);
		for (const [rank, {label, probability}] of told.entries()) {
			const [, width, fill, text] = bars[row * 3 + rank]!;
			t.true(Math.abs(Number(width) - 176 * probability) < 0.06, `${label}: ${width}`);
			t.is(fill === red, label === picture.label);
			t.is(unescaped(text!), label.replace('\u0007', '\uFFFD'));
			t.true(Math.abs(picture.classes[rank]!.probability - probability) < 1e-5);
		}
	}
	const named = await drawPredictions(model, source, path, {places: [broken === 3 ? 4 : 3]});
	t.deepEqual(
		named.map(({index}) => index),
		[broken === 3 ? 4 : 3],
	);
	const lost = {code: 'ALEXNET_PICTURE', message: new RegExp(`p${broken}\\.png`)};
	await t.throwsAsync(drawPredictions(model, source, path, {places: [0, broken]}), lost);
	await t.throwsAsync(drawPredictions(model, source, path, {places: [11]}), {code: 'ALEXNET_ARGUMENT'});
	await t.throwsAsync(drawPredictions(model, source, join(folder, 'f.gif')), {message: /\.png or \.svg/});
	const strange = new Dataset({labels: ['bird'], pictures: [{...source.pictures[0]!, label: 0}], imageSize: 32});
	await t.throwsAsync(drawPredictions(model, strange, path), {code: 'ALEXNET_LABEL'});
});

test('a PNG shows the pictures and the bars where the layout has them', async (t) => {
	const folder = await temporaryFolder(t);
	await using model = await smallModel();
	const source = await pictures(t, 5, 'p');
	const path = join(folder, 'figure.PNG');
	let shown;
	try {
		shown = await drawPredictions(model, source, path, {places: [4, 0, 1, 2, 3]});
	} catch (error) {
		t.true(isAlexNetError(error, 'ALEXNET_ARGUMENT') && error.message.includes('No font'), 'only for want of a font');
		return;
	}
	const {data, info} = await sharp(path).raw().toBuffer({resolveWithObject: true});
	t.deepEqual([info.width, info.height, info.channels], [2 * (24 + 4 * 200), 2 * (24 + 2 * (176 + 26 + 105 + 24)), 3]);
	const at = (x: number, y: number): number[] => {
		const from = (2 * y * info.width + Math.floor(2 * x)) * 3;
		return [...data.subarray(from, from + 3)];
	};
	t.deepEqual(at(5, 5), [255, 255, 255]);
	for (const [row, {index, classes}] of shown.entries()) {
		const [x, y] = [24 + (row % 4) * 200, 24 + Math.floor(row / 4) * (176 + 26 + 105 + 24)];
		const seen = await sharp(await decodePicture(source.pictures[index]!.path, 32), {
			raw: {width: 32, height: 32, channels: 3},
		})
			.resize(176, 176)
			.raw()
			.toBuffer();
		const centre = [...seen.subarray((88 * 176 + 88) * 3, (88 * 176 + 88) * 3 + 3)];
		t.true(
			at(x + 88, y + 88).every((value, channel) => Math.abs(value - centre[channel]!) < 40),
			`picture ${index}`,
		);
		for (const [rank, {label, probability}] of classes.entries()) {
			const middle = y + 176 + 26 + rank * 21 + 1;
			const [end, isRed] = [x + 176 * probability, label === labels[index % 3]];
			t.deepEqual(at(Math.max(x + 1, end - 2), middle), isRed ? [242, 142, 142] : [169, 201, 232], label);
			if (end < x + 170) t.deepEqual(at(end + 2, middle), [255, 255, 255], 'and ends there');
		}
	}
});

test('where no font is installed, a PNG is refused and an SVG is not', (t) => {
	const script = `
		import {writeFigure} from ${JSON.stringify(new URL('../../lib/figures/svg.ts', import.meta.url).href)};
		for (const path of process.argv.slice(1)) {
			await writeFigure(path, {width: 9, height: 9, parts: []}).then(() => console.log('good'), (error) => console.log(error.code, error.message));
		}`;
	const none = fileURLToPath(new URL('../fixtures/no-fonts.conf', import.meta.url));
	const folder = fileURLToPath(new URL('.', import.meta.url));
	const args = ['--import=tsx', '--input-type=module', '-e', script, join(folder, 'none/f.png'), '/dev/null/f.svg'];
	const {stdout} = spawnSync(process.execPath, args, {env: {...process.env, FONTCONFIG_FILE: none}, encoding: 'utf8'});
	const [png = '', svg = ''] = stdout.split('\n');
	t.regex(png, /^ALEXNET_ARGUMENT No font is installed.*f\.png.*fonts-dejavu-core.*\.svg/);
	t.regex(svg, /^ALEXNET_CHECKPOINT/, 'it got as far as writing');
});

test('the nearest of all pictures searched stand beside each picture', async (t) => {
	const folder = await temporaryFolder(t);
	await using model = await smallModel();
	const [source, searched] = [await pictures(t, 4, 'p'), await pictures(t, 13, 'q')];
	const layer = model.architecture.layers.at(-1)!.name;
	const path = join(folder, 'grid.png');
	const progress: number[] = [];
	const onProgress = (done: number, total: number): void => void progress.push(done, total);
	const shown = await drawNeighbours(model, source, searched, path, {places: [2, 0], k: 3, layer, onProgress});
	t.deepEqual(progress.slice(-2), [13, 13]);
	const vectorOf = async (file: string): Promise<Float32Array> =>
		model.activations(await decodePicture(file, 32), layer);
	const all = await Promise.all(searched.pictures.map(async ({path: file}) => vectorOf(file)));
	t.deepEqual(
		shown.map(({index}) => index),
		[2, 0],
	);
	for (const {index, label, nearest} of shown) {
		t.is(label, labels[index % 3]!);
		const own = await vectorOf(source.pictures[index]!.path);
		const distances = all.map((vector) => Math.hypot(...vector.map((value, at) => value - own[at]!)));
		const expected = distances.toSorted((one, other) => one - other).slice(0, 3);
		t.is(nearest.length, 3);
		for (const [rank, found] of nearest.entries()) {
			t.true(Math.abs(found.distance - expected[rank]!) < 1e-3 * (1 + expected[rank]!));
			t.true(Math.abs(distances[found.index]! - found.distance) < 1e-3 * (1 + found.distance));
			t.is(found.path, searched.pictures[found.index]!.path);
			t.is(found.label, labels[found.index % 3]!);
		}
	}
	const {data, info} = await sharp(path).raw().toBuffer({resolveWithObject: true});
	t.deepEqual([info.width, info.height], [128 + 24 + 3 * 134 - 6, 2 * 134 - 6]);
	const cell = async (file: string, left: number, top: number): Promise<number> => {
		const expected = await decodePicture(
			{data: await decodePicture(file, 32), width: 32, height: 32, channels: 3},
			128,
		);
		let worst = 0;
		for (const [x, y] of [
			[10, 10],
			[64, 64],
			[100, 30],
		] as const) {
			for (let channel = 0; channel < 3; ++channel) {
				const actual = data[((top + y) * info.width + left + x) * 3 + channel]!;
				worst = Math.max(worst, Math.abs(actual - expected[(y * 128 + x) * 3 + channel]!));
			}
		}
		return worst;
	};
	for (const [row, {index, nearest}] of shown.entries()) {
		t.is(await cell(source.pictures[index]!.path, 0, row * 134), 0);
		for (const [rank, {path: file}] of nearest.entries()) {
			t.is(await cell(file!, 152 + rank * 134, row * 134), 0, `row ${row}, ${rank}`);
		}
	}
	await t.throwsAsync(drawNeighbours(model, source, searched, path, {layer: 'fc77'}), {code: 'ALEXNET_ARGUMENT'});
});
