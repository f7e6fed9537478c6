// How fast pictures come: `alexnet bench data [folder]` lists, decodes and prepares them, reads what was prepared, and
// tells how long a training step waits for it. All figures are by the wall clock; files come from the system's cache, as
// they have just been written or read.
import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {availableParallelism, tmpdir} from 'node:os';
import {basename, join, resolve} from 'node:path';
import sharp from 'sharp';
import {philox, shuffled} from '../lib/base/random.ts';
import {AlexNet, ImageFolder, preparePictures, type Dataset, type PackedAs, type Picture} from '../lib/index.ts';
import {PackedPictures} from '../lib/data/packed/packed-pictures.ts';
import {mapAhead} from '../lib/data/map-ahead.ts';
import type {BenchmarkOptions} from './run.ts';
import type {Table} from './table.ts';
import {quartiles} from './timing.ts';

export const dataBenchmark = 'data';

/** So many pictures of the folder are decoded and prepared, at least one of each class. */
const mostPictures = 1024;
/** What is made where no folder is named: the size of many of ImageNet's. */
const [made, classes, width, height] = [512, 8, 500, 375];
/** What is fast is done again and again for so many seconds, and at least so often. */
const [leastSeconds, leastPasses] = [2, 3];

export type DataRow =
	| {
			readonly stage: string;
			readonly pictures: number;
			readonly picturesPerSecond: number;
			readonly fastestPerSecond?: number;
	  }
	| {
			readonly stage: 'wait of a training step';
			readonly stepMs: number;
			readonly waitMs: number;
			readonly batchSize: number;
	  };

/** @param folder of pictures, or of prepared ones, which are then only read; some are made by default */
export async function runData(folder: string | undefined, options: BenchmarkOptions): Promise<DataRow[]> {
	const scratch = await mkdtemp(join(tmpdir(), 'alexnet-bench-'));
	try {
		return await measure(folder ?? (await makePictures(join(scratch, 'made'))), scratch, options);
	} finally {
		await rm(scratch, {recursive: true, force: true});
	}
}

async function measure(folder: string, scratch: string, options: BenchmarkOptions): Promise<DataRow[]> {
	const {signal, onProgress, batchSize} = options;
	const rows: DataRow[] = [];
	const rated = async (stage: string, work: () => Promise<number>): Promise<void> => {
		signal?.throwIfAborted();
		onProgress?.(stage, rows.length);
		const start = performance.now();
		const pictures = await work();
		rows.push({stage, pictures, picturesPerSecond: (pictures / (performance.now() - start)) * 1000});
	};
	await rated('list', async () => sizeOf(await ImageFolder.open(folder)));
	const isPrepared = (await PackedPictures.openWhole(folder)) !== undefined;
	const prepared = isPrepared ? {'': folder} : await prepareBoth(folder, scratch, options, rated);
	for (const [as, path] of Object.entries(prepared)) {
		const data = await ImageFolder.open(path, {validationFraction: 0, cacheBytes: 0});
		signal?.throwIfAborted();
		onProgress?.('read prepared', rows.length);
		const rates = await ratesOfBatches(data.train, batchSize, signal);
		rows.push({stage: `read prepared ${as}`.trim(), pictures: data.train.size, ...rates});
	}
	onProgress?.('training', rows.length);
	const {train} = await ImageFolder.open(Object.values(prepared)[0] ?? '', {validationFraction: 0});
	rows.push(await waitOfStep(train, options));
	return rows;
}

/** @returns the folders that it makes */
async function prepareBoth(
	folder: string,
	scratch: string,
	{signal}: BenchmarkOptions,
	rated: (stage: string, work: () => Promise<number>) => Promise<void>,
): Promise<Record<PackedAs, string>> {
	const sample = await sampleOf(await ImageFolder.open(folder), join(scratch, 'sample'));
	const {train} = await ImageFolder.open(sample, {validationFraction: 0, cacheBytes: 0});
	const pass = async (): Promise<number> => {
		await train.check({signal});
		return train.size;
	};
	await rated('decode, the first time', pass);
	await rated('decode, later', pass);
	const packed = {raw: join(scratch, 'raw'), jpeg: join(scratch, 'jpeg')};
	for (const as of ['raw', 'jpeg'] as const) {
		await rated(`prepare as ${as}`, async () => (await preparePictures(sample, packed[as], {as, signal})).pictures);
	}
	return packed;
}

const sizeOf = ({train, validation}: ImageFolder): number => train.size + validation.size;

/** Pictures a second with nothing training, over passes in shuffled orders. */
async function ratesOfBatches(data: Dataset, batchSize: number, signal: AbortSignal | undefined) {
	const rates: number[] = [];
	const begun = performance.now();
	for (let epoch = 1; rates.length < leastPasses || performance.now() - begun < leastSeconds * 1000; ++epoch) {
		const order = await shuffled(data.size, 0, epoch);
		const start = performance.now();
		let pictures = 0;
		for await (const {labels} of data.batches({batchSize, order, signal})) pictures += labels.length;
		rates.push((pictures / (performance.now() - start)) * 1000);
	}
	return {picturesPerSecond: quartiles(rates).median, fastestPerSecond: Math.max(...rates)};
}

/** How long steps take, and how long each waits until its pictures are there: medians, the first step left out. */
async function waitOfStep(data: Dataset, options: BenchmarkOptions): Promise<DataRow> {
	const {devices, threads, precision, repetitions = 5, signal} = options;
	const batchSize = Math.min(options.batchSize, data.size);
	await using model = await AlexNet.create({devices: [...devices], threads, precision, batchSize, classes: 1000});
	const {mean, pca} = await data.statistics({signal});
	model.statistics = {mean, pca};
	const steps = repetitions + 1;
	const length = Math.ceil((steps * batchSize) / data.size);
	const epochs = await Promise.all(Array.from({length}, (_, epoch) => shuffled(data.size, 0, epoch + 1)));
	const order = epochs.flatMap((epoch) => [...epoch]);
	const [stepMs, waitMs]: [number[], number[]] = [[], []];
	let asked = performance.now();
	for await (const {images, labels} of data.batches({batchSize, order, dropLast: true, signal})) {
		const came = performance.now();
		await model.trainStep({images, labels, epoch: 1});
		waitMs.push(came - asked);
		stepMs.push(performance.now() - asked);
		asked = performance.now();
		if (stepMs.length === steps) break;
	}
	const medianOf = (values: readonly number[]): number => quartiles(values.slice(1)).median;
	return {stage: 'wait of a training step', stepMs: medianOf(stepMs), waitMs: medianOf(waitMs), batchSize};
}

/** Links to some pictures of each class. */
async function sampleOf({labels, train, validation}: ImageFolder, folder: string): Promise<string> {
	const ofClass = labels.map((): Picture[] => []);
	const each = Math.max(1, Math.floor(mostPictures / labels.length));
	for (const picture of [...train.pictures, ...validation.pictures]) {
		const pictures = ofClass[picture.label];
		if (pictures && pictures.length < each) pictures.push(picture);
	}
	for (const [label, pictures] of ofClass.entries()) {
		const below = join(folder, labels[label] ?? '');
		await mkdir(below, {recursive: true});
		for (const [place, {path}] of pictures.entries())
			await symlink(resolve(path), join(below, `${place}-${basename(path)}`));
	}
	return folder;
}

/** JPEGs that are as hard to decode as photographs: colours that change slowly, edges and noise. */
async function makePictures(folder: string): Promise<string> {
	const numbers = Array.from({length: made}, (_, number) => number);
	for (let label = 0; label < classes; ++label) await mkdir(join(folder, `class ${label}`), {recursive: true});
	const written = mapAhead(numbers, 2 * availableParallelism(), async (number) => {
		const [first, second, third] = philox(0, [number, 0, 0, 0]);
		const pixels = new Uint8Array(width * height * 3);
		for (let at = 0, state = first | 1; at < pixels.length; ++at) {
			state = (Math.imul(state, 1664525) + 1013904223) | 0;
			const [x, y] = [((at / 3) | 0) % width, (at / 3 / width) | 0];
			const slow = Math.sin(x / (20 + (second % 60))) + Math.cos(y / (20 + (third % 60)));
			const edge = (((x + first) >>> 5) ^ ((y + second) >>> 5)) & 1;
			pixels[at] = 128 + 45 * slow + 40 * edge * ((at % 3) - 1) + (state >>> 28);
		}
		const bytes = await sharp(pixels, {raw: {width, height, channels: 3}})
			.jpeg({quality: 90})
			.toBuffer();
		await writeFile(join(folder, `class ${number % classes}`, `${number}.jpg`), bytes);
	});
	for (let next = await written.next(); next.done !== true;) next = await written.next();
	return folder;
}

/** Cells of a table for people: a header, then a line for each row. */
export function dataTable(rows: readonly DataRow[]): Table & {waits: string} {
	const cells = rows.flatMap((row) => {
		if ('stepMs' in row) return [];
		const {stage, pictures, picturesPerSecond, fastestPerSecond = picturesPerSecond} = row;
		const rates = [picturesPerSecond, fastestPerSecond].map((perSecond) => perSecond.toFixed(0));
		return [[stage, String(pictures), ...rates, (1e6 / picturesPerSecond).toFixed(0)]];
	});
	const waits = rows.flatMap((row) =>
		'stepMs' in row
			? [
					`A training step of ${row.batchSize} takes ${row.stepMs.toFixed(1)} ms, of which it waits for pictures ${row.waitMs.toFixed(2)} ms.`,
				]
			: [],
	);
	return {
		header: ['stage', 'pictures', 'pictures/s', 'fastest pass', 'microseconds each'],
		cells,
		waits: waits.join('\n'),
	};
}
