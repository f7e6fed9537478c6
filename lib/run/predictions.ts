// predictions.json: what the net told of the held-out pictures after the last epoch.
import {readFile, rm, writeFile} from 'node:fs/promises';
import {sep} from 'node:path';
import sharp from 'sharp';
import {checked, fields, integer, listOf, number, optional, text, where} from '../base/check.ts';
import {replaceFile} from '../base/files.ts';
import {parseShallow} from '../base/json.ts';
import type {PictureSource} from '../data/picture-source.ts';
import {Confusion} from '../training/confusion.ts';
import type {SeenPicture} from '../training/evaluate.ts';

/** Pictures that are shown of those told right, and of those told wrongly. */
const mostShown = 18;
/** Side of a thumbnail, in pixels. */
const side = 96;

/** A picture of whose class the net was very sure. */
export interface CertainPicture {
	/** Its place among the held-out pictures. */
	readonly index: number;
	/** What it shows: an index into the labels. */
	readonly label: number;
	/** Up to five classes, the most probable first. */
	readonly top: readonly {readonly label: number; readonly probability: number}[];
	/** Its file and the folder of that, where it has one: 'cat/7.jpg'. */
	readonly name?: string | undefined;
	/** A JPEG of 96 x 96 pixels in base64: the square that the net's views are cut from. */
	readonly thumbnail?: string | undefined;
}

export interface Predictions {
	readonly epoch: number;
	/** Updates made. */
	readonly step: number;
	/** The model's classes, which indices mean. */
	readonly labels: readonly string[];
	/** Class, told class and how many pictures, one after the other, of those that there are. */
	readonly confusion: readonly number[];
	/** Told wrongly, the most probable first. */
	readonly mistakes: readonly CertainPicture[];
	/** Told right, the most probable first. */
	readonly hits: readonly CertainPicture[];
}

const probability = where(number(0), (value) => value <= 1, 'a number from 0 to 1');
const pictures = listOf(
	fields<CertainPicture>({
		...{index: integer(0), label: integer(0), name: optional(text), thumbnail: optional(text)},
		top: listOf(fields<CertainPicture['top'][number]>({label: integer(0), probability})),
	}),
);
const predictions = fields<Predictions>({
	...{
		epoch: integer(0),
		step: integer(0),
		labels: listOf(text),
		confusion: listOf(integer(0)),
		mistakes: pictures,
		hits: pictures,
	},
});

/** Undefined where the file is missing or damaged: nothing but a report depends on it. */
export async function readPredictions(path: string): Promise<Predictions | undefined> {
	try {
		return checked('predictions', predictions, parseShallow(await readFile(path, 'utf8')));
	} catch {
		return undefined;
	}
}

/** Forgets what is later than a checkpoint. */
export async function cutPredictions(path: string, epochs: number): Promise<void> {
	const found = await readPredictions(path);
	if (found && found.epoch > epochs) await rm(path);
}

/** Gathers what the net tells of pictures, as they are evaluated. */
export class PredictionCounts {
	readonly #labels: readonly string[];
	readonly #confusion: Confusion;
	readonly #mistakes: SeenPicture[] = [];
	readonly #hits: SeenPicture[] = [];

	/** @param labels the model's */
	constructor(labels: readonly string[]) {
		this.#labels = labels;
		this.#confusion = new Confusion(labels);
	}

	add(seen: SeenPicture): void {
		const told = seen.top[0]?.label;
		if (told === undefined) return;
		this.#confusion.add(seen.label, told);
		insert(told === seen.label ? this.#hits : this.#mistakes, seen);
	}

	/** Writes what was gathered, with thumbnails of the pictures of whose class the net was most certain. */
	async write(path: string, source: PictureSource, {epoch, step}: Pick<Predictions, 'epoch' | 'step'>): Promise<void> {
		const confusion = [...this.#confusion.pairs()].flatMap(({label, told, pictures}) => [label, told, pictures]);
		const places = [...this.#mistakes, ...this.#hits].map(({index}) => index);
		const thumbnails = await thumbnailsOf(source, places);
		const shown = ({index, label, top}: SeenPicture): CertainPicture => {
			const [name, thumbnail] = [nameOf(source, index), thumbnails.get(index)];
			return {index, label, top, ...(name !== undefined && {name}), ...(thumbnail !== undefined && {thumbnail})};
		};
		const found: Predictions = {
			...{epoch, step, labels: this.#labels, confusion},
			...{mistakes: this.#mistakes.map(shown), hits: this.#hits.map(shown)},
		};
		await replaceFile(path, (temporary) => writeFile(temporary, `${JSON.stringify(found)}\n`));
	}
}

/** Keeps the most certain ones, the most probable first; of equal ones, those that came first. */
function insert(certain: SeenPicture[], seen: SeenPicture): void {
	const sureness = ({top}: SeenPicture): number => top[0]?.probability ?? 0;
	const after = certain.findIndex((other) => sureness(other) < sureness(seen));
	if (after < 0 && certain.length >= mostShown) return;
	certain.splice(after < 0 ? certain.length : after, 0, seen);
	certain.length = Math.min(certain.length, mostShown);
}

async function thumbnailsOf(source: PictureSource, places: readonly number[]): Promise<ReadonlyMap<number, string>> {
	const found = new Map<number, string>();
	if (places.length === 0) return found;
	for await (const {images, indices} of source.batches({batchSize: 1, order: places})) {
		const pixels = Math.sqrt(images.length / 3);
		const jpeg = await sharp(images, {raw: {width: pixels, height: pixels, channels: 3}})
			.resize(side, side)
			.jpeg({quality: 75})
			.toBuffer();
		found.set(indices[0] ?? -1, jpeg.toString('base64'));
	}
	return found;
}

/** Reports are shown to others, whom the rest of the path does not concern. */
function nameOf({pictures}: PictureSource, index: number): string | undefined {
	return pictures?.[index]?.path.split(sep).slice(-2).join('/');
}
