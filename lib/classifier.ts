import {untilAborted} from './base/abort.ts';
import {chosenArchitecture, architectureOptions, classCount, type ArchitectureOptions} from './net/alexnet.ts';
import {architectureCheck, classesOf, type Architecture} from './net/architecture.ts';
import {checked, distinctNames, filePath, filled} from './base/check.ts';
import {integer, must, option, options, text} from './base/check.ts';
import {
	loadCheckpoint,
	saveCheckpoint,
	saveOptions,
	startFromCheckpoint,
	type SaveOptions,
} from './checkpoint/checkpoint.ts';
import {decodePicture, type PictureInput} from './data/decode.ts';
import {inferMany, manyPictures, type SeriesOptions} from './data/picture-series.ts';
import {AlexNetError} from './base/errors.ts';
import {permit, requirePermit, type Permit} from './base/permit.ts';
import {evaluate, type EvaluateOptions, type Evaluation} from './training/evaluate.ts';
import {Model} from './net/model.ts';
import {modelOptions, predictOptions, runOptions, settingChecks} from './net/options.ts';
import type {ModelOptions, PredictOptions, RunOptions} from './net/options.ts';
import {requireLayer} from './net/layer-names.ts';
import type {PictureSource} from './data/picture-source.ts';
import {fineTuneOptions, type FineTuneOptions} from './training/fine-tuning.ts';
import {importNet, importOptions, type ImportOptions} from './interchange/import-net.ts';
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

export const importRunOptions = options<ImportOptions & RunOptions>()({...runOptions.checks, ...importOptions.checks});

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

const batchSize = option(integer(1), 'pictures decoded ahead and predicted together, at most');

export const classifyManyOptions = options<ClassifyManyOptions>()({...classifyOptions.checks, batchSize});

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

/** What `AlexNet.features` takes besides the pictures and the layer. */
export interface FeaturesOptions extends PredictOptions {
	/** Pictures decoded ahead and predicted together, at most. Default: the model's. */
	batchSize?: number | undefined;
}

export const featuresOptions = options<FeaturesOptions>()({...predictOptions.checks, batchSize});

/** A picture's vector, or why it has none. */
export type PictureFeatures<P extends PictureInput = PictureInput> = {
	/** As it was given. */
	picture: P;
} & (
	| {
			/** The layer's outputs: [outputs], or [C, H, W] of a layer of channels. */
			features: Float32Array;
			/** Undefined where there are features. */
			error?: undefined;
	  }
	| {
			/** Undefined where there is an error. */
			features?: undefined;
			/** Why it cannot be decoded. */
			error: AlexNetError;
	  }
);

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
		const architecture = chosenArchitecture(options, labels.length);
		const model = AlexNet.uninitialized(filled(modelOptions, {...options, labels, architecture}));
		await model.initialize();
		return model;
	}

	/** The net that a checkpoint holds, on any device and in any precision. */
	static async load(path: string, options: RunOptions = {}): Promise<AlexNet> {
		checked('path', filePath, path);
		return loadCheckpoint(path, checked('AlexNet.load', runOptions, options), (all) => AlexNet.uninitialized(all));
	}

	/**
	 * A net for other classes that begins with the weights of a checkpoint: its last layer is new, momentum and progress
	 * start at zero. The mean image and PCA stay the checkpoint's, which its weights have learned with. To go on with the
	 * same classes, `load` it.
	 *
	 * ```ts
	 * await using model = await AlexNet.from('run/best.safetensors', {labels: data.labels, freeze: ['conv1', 'conv2']});
	 * ```
	 *
	 * @throws ALEXNET_CHECKPOINT as `load`; ALEXNET_ARGUMENT for a layer to freeze that is not there, has no weights or is
	 * the last.
	 */
	static async from(path: string, options: FineTuneOptions): Promise<AlexNet> {
		checked('path', filePath, path);
		const {labels: names, classes, ...settings} = checked('AlexNet.from', fineTuneOptions, options);
		const labels = labelsOf({labels: names, classes});
		return startFromCheckpoint(path, {...settings, labels}, (all) => AlexNet.uninitialized(all));
	}

	/**
	 * The net in another program's file: ONNX, Caffe, PyTorch. See docs/interchange.md.
	 *
	 * @throws ALEXNET_IMPORT where the file cannot be read, or holds a net that this package cannot have.
	 */
	static async import(path: string, options: ImportOptions & RunOptions = {}): Promise<AlexNet> {
		checked('path', filePath, path);
		const given = checked('AlexNet.import', importRunOptions, options);
		const {architecture, labels, weights, statistics} = await importNet(path, filled(importOptions, given));
		const run = {...filled(runOptions, given), batchSize: given.batchSize};
		const model = AlexNet.uninitialized(filled(modelOptions, {...run, architecture, labels}));
		try {
			await model.setParameters(weights);
			model.statistics = statistics;
			return model;
		} catch (error) {
			await model.dispose();
			throw error;
		}
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
	 * pictures are not those of the run, or none of a class can be read when it begins; ALEXNET_ARGUMENT at once, before
	 * the first report is asked for, for options that cannot be, and with the first report where another loop trains the
	 * model. ALEXNET_DISPOSED after dispose(), before the source is asked for anything.
	 */
	train(source: PictureSource, options: TrainOptions = {}): AsyncGenerator<TrainReport, void, undefined> {
		return train(this, source, options);
	}

	/**
	 * Loss, top-1 and top-5 accuracy on pictures with known labels, and those of each class. The source may have fewer
	 * classes than the model, in any order.
	 *
	 * @throws ALEXNET_LABEL where it has others; ALEXNET_FOLDER where it has pictures of a class and none of them can be
	 * read; ALEXNET_DISPOSED after dispose(), before it is asked for any picture.
	 */
	async evaluate(source: PictureSource, options: EvaluateOptions = {}): Promise<Evaluation> {
		return evaluate(this, source, options);
	}

	/**
	 * The classes that a picture most likely shows, best first.
	 *
	 * @param picture see {@link PictureInput}
	 * @throws ALEXNET_PICTURE where it cannot be decoded, ALEXNET_FOLDER where its storage fails; ALEXNET_LOSS where the
	 * net's probabilities are NaN.
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
	 * cannot be decoded (ALEXNET_PICTURE), or whose storage fails (ALEXNET_FOLDER), has an error in place of classes, and
	 * does not end the others.
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
		const {top, crops, ...series} = checked('classifyMany', classifyManyOptions, options);
		return inferMany(pictures, this.#series(series), async (pixels, signal) => ({
			classes: this.#told(await this.predict(pixels, {crops, signal}), top),
		}));
	}

	/**
	 * What a layer puts out for many pictures, a vector each, in their order, as they come: decoded ahead and computed in
	 * batches. See {@link Model.activations} for what a layer puts out, and in which order.
	 *
	 * ```ts
	 * for await (const {picture, features} of model.features(paths, 'fc7')) console.log(picture, features);
	 * ```
	 *
	 * @param pictures as for {@link AlexNet.classifyMany}
	 * @param layer its name: 'fc7'
	 * @throws ALEXNET_ARGUMENT at once for what is no series of pictures or no layer of the net; otherwise as
	 * {@link AlexNet.classifyMany}.
	 */
	features<P extends PictureInput>(
		pictures: Iterable<P> | AsyncIterable<P>,
		layer: string,
		options: FeaturesOptions = {},
	): AsyncGenerator<PictureFeatures<P>, void, undefined> {
		checked('pictures', manyPictures, pictures);
		requireLayer(this.architecture.layers, checked('layer', text, layer));
		const {crops, ...series} = checked('features', featuresOptions, options);
		return inferMany(pictures, this.#series(series), async (pixels, signal) => ({
			features: await this.activations(pixels, layer, {crops, signal}),
		}));
	}

	#series({batchSize = this.batchSize, signal}: Pick<FeaturesOptions, 'batchSize' | 'signal'>): SeriesOptions {
		const {imageSize} = this.architecture;
		return {imageSize, batchSize, signal, requireOpen: this.requireOpen.bind(this)};
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

function labelsOf({labels, classes, architecture}: AlexNetOptions): readonly string[] {
	if (labels && classes !== undefined && classes !== labels.length) {
		throw new AlexNetError('ALEXNET_ARGUMENT', `There are ${labels.length} labels, but classes is ${classes}.`);
	}
	if (labels) return labels;
	const count = classes ?? (architecture && classesOf(architecture));
	if (count === undefined) throw new AlexNetError('ALEXNET_ARGUMENT', 'Give labels (names) or classes (a number).');
	return Array.from({length: count}, (_, index) => `class ${index}`);
}
