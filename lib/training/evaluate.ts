import {callback, checked, instanceOf, options, shortened} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {shareOf, type Group} from '../net/group.ts';
import type {Model} from '../net/model.ts';
import {noSuchClass, pictureSource, type PictureSource} from '../data/picture-source.ts';
import {Confusion, type ClassResult} from './confusion.ts';
import {best, first, rank} from './ranking.ts';
import {exchange} from './together.ts';
import {crops, type CropsOption} from '../data/views.ts';

/** What `AlexNet.evaluate` takes besides the pictures. */
export interface EvaluateOptions extends CropsOption {
	/** Rejects with the signal's reason after the current batch. */
	signal?: AbortSignal | undefined;
	/** Called after each batch. */
	onProgress?: ((done: number, total: number) => void) | undefined;
	/** Called for each picture in the order of the source, before `onProgress` of its batch. Unreadable ones are left out. */
	onPicture?: ((seen: SeenPicture) => void) | undefined;
}

/** What the net told of one picture. */
export interface SeenPicture {
	/** The picture's place in the source. */
	index: number;
	/** What it shows: an index into the model's labels. */
	label: number;
	/** -ln(probability of the label); NaN where a probability is. */
	loss: number;
	/**
	 * The five most probable classes, the most probable first; fewer where the model has fewer classes, none where a
	 * probability is NaN. Of equal ones the lower index comes first.
	 */
	top: readonly {
		/** An index into the model's labels. */
		label: number;
		/** From 0 to 1. */
		probability: number;
	}[];
}

export const evaluateOptions = options<EvaluateOptions>()({
	crops,
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
	onPicture: callback(),
});

/** What an epoch's report tells of the held-out pictures. */
export interface Measures {
	/** Pictures seen; unreadable ones are not among them. */
	pictures: number;
	/** Mean of -ln(probability of the label). */
	loss: number;
	/** Share of pictures whose label was the most probable class, from 0 to 1. */
	top1: number;
	/** Share of pictures whose label was among the five most probable classes, from 0 to 1. */
	top5: number;
	/** Share of pictures that are of the largest class: the accuracy of always telling that one. */
	largestShare: number;
}

/** What `AlexNet.evaluate` finds: of all pictures, and of those of each class. */
export interface Evaluation extends Measures {
	/** In the order of the model's labels. */
	classes: readonly ClassResult[];
	/**
	 * How many pictures of a class were taken for which: `confusion[label][told]`, both in the order of the model's labels.
	 * A picture of which the net told no class, a probability being NaN, counts nowhere. Laid out when it is first asked
	 * for.
	 */
	readonly confusion: readonly Uint32Array[];
}

/** What `AlexNet.evaluate` says. The last batch may be partial. */
export async function evaluate(
	model: Model,
	source: PictureSource,
	options: EvaluateOptions = {},
): Promise<Evaluation> {
	checked('source', pictureSource, source);
	const {crops, signal, onProgress, onPicture} = checked('evaluate', evaluateOptions, options);
	model.requireOpen();
	const places = placesOf(model.labels, source.labels);
	const sums = {pictures: 0, loss: 0, top5: 0};
	const confusion = new Confusion(model.labels);
	const add = ({told, isAmongFive, ...seen}: Judged): void => {
		sums.loss += seen.loss;
		sums.top5 += isAmongFive ? 1 : 0;
		confusion.add(seen.label, told);
		onPicture?.(seen);
		++sums.pictures;
	};
	const judge = async (order: ArrayLike<number> | undefined, use: (judged: Judged) => void): Promise<void> => {
		await source.checkClasses?.(signal); // Else the other classes' results would pass for all.
		let done = 0;
		const memory = model.hostPool.lend();
		const batches = source.batches({batchSize: model.batchSize, order, signal, allocate: memory.take});
		for await (const {images, labels, indices} of batches) {
			const probabilities = await model.predict(images, {crops});
			for (let row = 0; row < labels.length; ++row) {
				const values = probabilities.subarray(row * model.classes, (row + 1) * model.classes);
				const label = places[labels[row] ?? NaN];
				if (label === undefined) throw noSuchClass(done + row, labels[row], source.labels.length);
				use(judged(values, label, indices[row] ?? NaN));
			}
			done += labels.length;
			onProgress?.(order ? Math.round((done / order.length) * source.size) : done, source.size);
			signal?.throwIfAborted();
		}
		memory.end();
	};
	if (model.group) for (const each of await judgedTogether(model.group, source, judge)) add(each);
	else await judge(undefined, add);
	const {pictures} = sums;
	if (pictures === 0) throw new AlexNetError('ALEXNET_ARGUMENT', 'There are no pictures to evaluate.');
	const classes = confusion.classes();
	const correct = classes.reduce((sum, result) => sum + result.correct, 0);
	const largest = classes.reduce((most, result) => Math.max(most, result.pictures), 0);
	return {
		...{pictures, loss: sums.loss / pictures, top1: correct / pictures, top5: sums.top5 / pictures},
		...{largestShare: largest / pictures, classes},
		get confusion() {
			return confusion.table();
		},
	};
}

/** What the net told of a picture, and whether that was right. */
interface Judged extends SeenPicture {
	/** The most probable class; undefined where a probability is NaN. */
	readonly told: number | undefined;
	/** Whether the label is among the five most probable classes. */
	readonly isAmongFive: boolean;
}

function judged(values: Float32Array, label: number, index: number): Judged {
	const told = first(values);
	return {
		...{index, label, told},
		loss: Math.abs(Math.log(bounded(values[label] ?? NaN))), // not negated: of 1 that would be -0
		isAmongFive: rank(values, label) < 5,
		top: told === undefined ? [] : topOf(values),
	};
}

/** Of all pictures, in the order of the source, of which each rank looks at its share. */
async function judgedTogether(
	group: Group,
	{size}: PictureSource,
	judge: (order: Int32Array, use: (judged: Judged) => void) => Promise<void>,
): Promise<readonly Judged[]> {
	const {start, end} = shareOf(size, group);
	const all = await exchange(group, async () => {
		const own: Judged[] = [];
		await judge(
			Int32Array.from({length: end - start}, (_, place) => start + place),
			(each) => own.push(each),
		);
		return own;
	});
	return all.flat();
}

function topOf(values: Float32Array): SeenPicture['top'] {
	return best(values, 5).map((label) => ({label, probability: values[label] ?? NaN}));
}

/** An evaluation without what it tells of classes, of which there may be thousands. */
export function measuresOf({pictures, loss, top1, top5, largestShare}: Evaluation): Measures {
	return {pictures, loss, top1, top5, largestShare};
}

/**
 * Below the smallest positive fp32 a probability reads as 0, and the loss stays finite there. A mean of ten may round to
 * a little more than 1, and the loss is not negative there.
 */
function bounded(probability: number): number {
	return Math.min(1, Math.max(probability, 2 ** -149));
}

/**
 * Where each of a source's classes stands among the model's. Labels are compared in Unicode's form NFC.
 *
 * @throws ALEXNET_LABEL where the model does not know one.
 */
export function placesOf(known: readonly string[], labels: readonly string[]): readonly number[] {
	const order = new Map(known.map((label, place) => [label.normalize('NFC'), place]));
	const places = labels.map((label) => order.get(label.normalize('NFC')));
	if (places.every((place) => place !== undefined)) return places;
	const unknown = labels.filter((_, index) => places[index] === undefined);
	throw differ(known, labels, [`unknown to the model: ${shorten(unknown)}`], 'Classes may be missing, but not added.');
}

/** @throws ALEXNET_LABEL where a source's classes are not the model's, in the same order; compared in Unicode's form NFC. */
export function requireSameLabels(model: Pick<Model, 'labels'>, source: {readonly labels: readonly string[]}): void {
	const [known, labels] = [model, source].map((side) => side.labels.map((label) => label.normalize('NFC'))) as [
		string[],
		string[],
	];
	if (known.length === labels.length && known.every((label, index) => label === labels[index])) return;
	const missing = without(known, labels);
	const added = without(labels, known);
	const differences = [
		...(missing.length > 0 ? [`without pictures: ${shorten(missing)}`] : []),
		...(added.length > 0 ? [`unknown to the model: ${shorten(added)}`] : []),
	];
	throw differ(known, labels, differences, 'They must be the same.');
}

function without(labels: readonly string[], others: readonly string[]): string[] {
	const known = new Set(others);
	return labels.filter((label) => !known.has(label));
}

function differ(
	known: readonly string[],
	labels: readonly string[],
	differences: readonly string[],
	rule: string,
): AlexNetError {
	return new AlexNetError(
		'ALEXNET_LABEL',
		`The model's classes are ${shorten(known)}, the pictures' ${shorten(labels)}; ` +
			`${differences.join('; ') || 'their order differs'}. ${rule}`,
	);
}

function shorten(labels: readonly string[]): string {
	const shown = labels
		.slice(0, 8)
		.map((label) => shortened(label))
		.join(', ');
	return labels.length > 8 ? `${shown}, … (${labels.length})` : shown;
}
