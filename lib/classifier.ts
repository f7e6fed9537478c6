import {availableParallelism} from 'node:os';
import {untilAborted} from './base/abort.ts';
import {architectureOf, architectureOptions, classCount, type ArchitectureOptions} from './net/alexnet.ts';
import {architectureCheck, classesOf, type Architecture} from './net/architecture.ts';
import {checked, distinctNames, filePath, filled} from './base/check.ts';
import {integer, must, option, options, type Checked} from './base/check.ts';
import {loadCheckpoint, saveCheckpoint, saveOptions, type SaveOptions} from './checkpoint/checkpoint.ts';
import {decodePicture, type PictureInput} from './data/decode.ts';
import {mapAhead} from './data/map-ahead.ts';
import {AlexNetError} from './base/errors.ts';
import {permit, requirePermit, type Permit} from './base/permit.ts';
import {evaluate, type EvaluateOptions, type Evaluation} from './training/evaluate.ts';
import {Model} from './net/model.ts';
import {modelOptions, predictOptions, runOptions, settingChecks} from './net/options.ts';
import type {ModelOptions, PredictOptions, RunOptions} from './net/options.ts';
import type {PictureSource} from './data/picture-source.ts';
import {best} from './training/ranking.ts';
import {train, type TrainOptions, type TrainReport} from './training/trainer.ts';

/** What `AlexNet.create` takes: the net, its classes, where and how it computes, and how it learns. */
export interface AlexNetOptions
	extends Omit<ArchitectureOptions, 'classes'>, Omit<ModelOptions, 'architecture' | 'labels'> {
	/** A whole net of your own, in place of a preset and the options that change it. */
	architecture?: Architecture | undefined;
	/** A name for each class. */
	labels?: readonly string[] | undefined;
	/** The number of classes, where they have no names. Default: the outputs of an `architecture`. */
	classes?: number | undefined;
}

export const alexNetOptions = options<AlexNetOptions>()({
	...architectureOptions.checks,
	...settingChecks,
	architecture: option(
		architectureCheck,
		'a whole net of your own, in place of a preset and the options that change it',
	),
	labels: option(distinctNames(2), 'a name for each class'),
	classes: option(classCount, 'the number of classes, where they have no names'),
});

/** What `AlexNet.classify` takes besides the picture. */
export interface ClassifyOptions extends PredictOptions {
	/** Classes to tell of a picture, best first. Default 5. */
	top?: number | undefined;
}

export const classifyOptions = options<ClassifyOptions>()({
	top: option(integer(1), 'classes to tell of a picture, best first', 5),
	...predictOptions.checks,
});

/** What `AlexNet.classifyMany` takes besides the pictures. */
export interface ClassifyManyOptions extends ClassifyOptions {
	/** Pictures decoded ahead and predicted together, at most. Default: the model's. */
	batchSize?: number | undefined;
}

export const classifyManyOptions = options<ClassifyManyOptions>()({
	...classifyOptions.checks,
	batchSize: option(integer(1), 'pictures decoded ahead and predicted together, at most'),
});

/** A class that a picture may show. */
export interface Classification {
	/** The class's name, as the model has it. */
	label: string;
	/** Its place among the model's labels. */
	index: number;
	/** From 0 to 1; those of all classes add up to 1. */
	probability: number;
}

/** A picture's classes, best first, or why it has none. */
export type ClassifiedPicture<P extends PictureInput = PictureInput> = {
	/** As it was given. */
	picture: P;
} & (
	| {
			/** The `top` most probable, best first. */
			classes: Classification[];
			/** Undefined where there are classes. */
			error?: undefined;
	  }
	| {
			/** Undefined where there is an error. */
			classes?: undefined;
			/** Why it cannot be decoded. */
			error: AlexNetError;
	  }
);

/** Begun at once: a core decodes one picture while another one's file is read. */
const decodedAtOnce = 2 * availableParallelism() + 1;

/**
 * AlexNet, from pictures in files to named classes: `AlexNet.create` or `AlexNet.load` make one. Dispose of it, or
 * declare it with `await using`.
 */
export class AlexNet extends Model {
	private constructor(given: Permit, options: ModelOptions) {
		requirePermit(given, 'AlexNet', 'await AlexNet.create(…) or await AlexNet.load(…)');
		super(options);
	}

	/**
	 * A net of any architecture whose weights are still to be set.
	 *
	 * @internal
	 */
	static uninitialized(options: ModelOptions): AlexNet {
		return new AlexNet(permit, options);
	}

	/**
	 * A net with fresh weights: a preset's, or one of your own, written down as an {@link Architecture}.
	 *
	 * @throws ALEXNET_DEVICE where a device is not there, ALEXNET_ARGUMENT for options that make no sense, ALEXNET_SHAPE for
	 * layers that do not fit together.
	 */
	static async create(options: AlexNetOptions): Promise<AlexNet> {
		const labels = labelsOf(checked('AlexNet.create', alexNetOptions, options));
		const architecture = architectureOf(options, labels.length);
		const model = AlexNet.uninitialized(filled(modelOptions, {...options, labels, architecture}));
		await model.initialize();
		return model;
	}

	/** The net that a checkpoint holds, on any device and in any precision. */
	static async load(path: string, options: RunOptions = {}): Promise<AlexNet> {
		checked('path', filePath, path);
		return loadCheckpoint(path, checked('AlexNet.load', runOptions, options), (all) => AlexNet.uninitialized(all));
	}

	/** Writes a checkpoint, of one whole step also while training goes on. It replaces the file as a whole or not at all. */
	async save(path: string, options: SaveOptions = {}): Promise<void> {
		await saveCheckpoint(this, checked('path', filePath, path), checked('save', saveOptions, options));
	}

	/**
	 * Trains on pictures, reporting after each step and epoch; nothing runs unless the next report is asked for. Leaving
	 * the loop ends training after the current step: the weights are always those of a whole step.
	 *
	 * Goes on from `progress`: with the same options and pictures, a model that was left, or saved and loaded, at any report
	 * ends with the bits of one that was not. Where there is no progress it is a new run, which takes the mean image and
	 * PCA of `source` if the model has none.
	 *
	 * ```ts
	 * for await (const report of model.train(data.train, {epochs: 90, validation: data.validation})) {
	 * 	if (report.type === 'epoch') console.log(report.epoch, report.loss, report.validation?.top1);
	 * }
	 * ```
	 *
	 * @throws ALEXNET_LOSS where the loss is no longer finite; ALEXNET_LABEL where the classes, ALEXNET_FOLDER where the
	 * pictures are not those of the run; ALEXNET_ARGUMENT at once, before the first report is asked for, for options that
	 * cannot be, and with the first report where another loop trains the model. ALEXNET_DISPOSED after dispose(), before
	 * the source is asked for anything.
	 */
	train(source: PictureSource, options: TrainOptions = {}): AsyncGenerator<TrainReport, void, undefined> {
		return train(this, source, options);
	}

	/**
	 * Loss, top-1 and top-5 accuracy on pictures with known labels, and those of each class. The source may have fewer
	 * classes than the model, in any order.
	 *
	 * @throws ALEXNET_LABEL where it has others; ALEXNET_DISPOSED after dispose(), before it is asked for any picture.
	 */
	async evaluate(source: PictureSource, options: EvaluateOptions = {}): Promise<Evaluation> {
		return evaluate(this, source, options);
	}

	/**
	 * The classes that a picture most likely shows, best first.
	 *
	 * @param picture see {@link PictureInput}
	 * @throws ALEXNET_PICTURE where it cannot be decoded.
	 */
	async classify(picture: PictureInput, options: ClassifyOptions = {}): Promise<Classification[]> {
		const {top, crops, signal} = checked('classify', classifyOptions, options);
		this.requireOpen();
		signal?.throwIfAborted();
		const decoding = decodePicture(picture, this.architecture.imageSize).finally(() => {
			this.requireOpen();
		});
		return this.#told(await this.predict(await untilAborted(decoding, signal), {crops, signal}), top);
	}

	/**
	 * The classes of many pictures, in their order, as they come: decoded ahead and predicted in batches. A picture that
	 * cannot be decoded has an error in place of classes, and does not end the others.
	 *
	 * @param pictures paths, bytes or pixels (see {@link PictureInput}), also of an asynchronous source
	 * @throws ALEXNET_ARGUMENT at once for what is no series of pictures. The loop rejects with what the source throws, the
	 * signal's reason, or the model's own failures.
	 */
	classifyMany<P extends PictureInput>(
		pictures: Iterable<P> | AsyncIterable<P>,
		options: ClassifyManyOptions = {},
	): AsyncGenerator<ClassifiedPicture<P>, void, undefined> {
		checked('pictures', manyPictures, pictures);
		return this.#classifyMany(pictures, checked('classifyMany', classifyManyOptions, options));
	}

	async *#classifyMany<P extends PictureInput>(
		pictures: Iterable<P> | AsyncIterable<P>,
		{top, crops, batchSize = this.batchSize, signal}: Checked<typeof classifyManyOptions>,
	): AsyncGenerator<ClassifiedPicture<P>, void, undefined> {
		this.requireOpen();
		const leaving = new AbortController();
		const either = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
		const decoded = mapAhead(pictures, Math.min(batchSize, decodedAtOnce), (picture) => this.#decoded(picture));
		const told = mapAhead(decoded, batchSize, async ({picture, pixels, error}): Promise<ClassifiedPicture<P>> => {
			if (!pixels) return {picture, error};
			return {picture, classes: this.#told(await this.predict(pixels, {crops, signal: either}), top)};
		});
		try {
			for (;;) {
				const {done, value} = await untilAborted(told.next(), signal);
				if (done === true) return;
				yield value;
			}
		} finally {
			leaving.abort();
			void told.return();
		}
	}

	async #decoded<P extends PictureInput>(picture: P): Promise<Decoded<P>> {
		try {
			return {picture, pixels: await decodePicture(picture, this.architecture.imageSize)};
		} catch (error) {
			this.requireOpen();
			if (error instanceof AlexNetError) return {picture, error};
			throw error;
		}
	}

	#told(probabilities: Float32Array, top: number): Classification[] {
		return best(probabilities, top).map((index) => ({
			label: this.labels[index] ?? '',
			index,
			probability: probabilities[index] ?? 0,
		}));
	}
}

export const anAlexNet = must<AlexNet>('an AlexNet', (value) => value instanceof AlexNet);

type Decoded<P> =
	{picture: P; pixels: Uint8Array; error?: undefined} | {picture: P; pixels?: undefined; error: AlexNetError};

/** Text and bytes are iterable, too, and are one picture. */
const manyPictures = must<Iterable<PictureInput> | AsyncIterable<PictureInput>>(
	'an array or another iterable of pictures (classify takes one)',
	(value) =>
		typeof value === 'object' &&
		value !== null &&
		(Symbol.iterator in value || Symbol.asyncIterator in value) &&
		!ArrayBuffer.isView(value),
);

function labelsOf({labels, classes, architecture}: AlexNetOptions): readonly string[] {
	if (labels && classes !== undefined && classes !== labels.length) {
		throw new AlexNetError('ALEXNET_ARGUMENT', `There are ${labels.length} labels, but classes is ${classes}.`);
	}
	if (labels) return labels;
	const count = classes ?? (architecture && classesOf(architecture));
	if (count === undefined) throw new AlexNetError('ALEXNET_ARGUMENT', 'Give labels (names) or classes (a number).');
	return Array.from({length: count}, (_, index) => `class ${index}`);
}
