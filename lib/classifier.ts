import {alexnet, architectureOptions, classCount, type ArchitectureOptions} from './alexnet.ts';
import {checked, distinctNames, filePath, integer, options, partOf} from './check.ts';
import {loadCheckpoint, saveCheckpoint} from './checkpoint.ts';
import {decodePicture, type PictureInput} from './data/decode.ts';
import {AlexNetError} from './errors.ts';
import {evaluate, type EvaluateOptions, type Evaluation} from './evaluate.ts';
import {Model} from './model.ts';
import {modelOptions, runOptions, type ModelOptions, type RunOptions} from './options.ts';
import type {PictureSource} from './picture-source.ts';
import {best} from './ranking.ts';
import {sgdOptions} from './sgd.ts';
import {train, type TrainOptions, type TrainReport} from './trainer.ts';
import {crops} from './views.ts';

export interface AlexNetOptions
	extends Omit<ArchitectureOptions, 'classes'>, Omit<ModelOptions, 'architecture' | 'labels'> {
	/** A name for each class. */
	labels?: readonly string[] | undefined;
	/** The number of classes, where they have no names. */
	classes?: number | undefined;
}

export const alexNetOptions = options<AlexNetOptions>({
	...architectureOptions.checks,
	...runOptions.checks,
	...sgdOptions.checks,
	seed: modelOptions.checks.seed,
	pcaScale: modelOptions.checks.pcaScale,
	labels: distinctNames(2),
	classes: classCount,
});

export interface ClassifyOptions {
	/** How many classes to tell, best first. Default 5. */
	top?: number | undefined;
	/** Views whose probabilities are averaged (paper 4.1). Default 1. */
	crops?: 1 | 10 | undefined;
}

export const classifyOptions = options<ClassifyOptions>({top: integer(1), crops});

export interface Classification {
	label: string;
	/** Its place among the model's labels. */
	index: number;
	probability: number;
}

/** AlexNet, from pictures in files to named classes. Dispose of it, or declare it with `await using`. */
export class AlexNet extends Model {
	/**
	 * A net with fresh weights.
	 *
	 * @throws ALEXNET_DEVICE where a device is not there, ALEXNET_ARGUMENT for options that make no sense.
	 */
	static async create(options: AlexNetOptions): Promise<AlexNet> {
		const labels = labelsOf(checked('AlexNet.create', alexNetOptions, options));
		const architecture = alexnet({...options, classes: labels.length});
		const model = new AlexNet(partOf(modelOptions, {...options, labels, architecture}));
		await model.initialize();
		return model;
	}

	/** The net that a checkpoint holds, on any device and in any precision. */
	static async load(path: string, options: RunOptions = {}): Promise<AlexNet> {
		checked('path', filePath, path);
		return loadCheckpoint(
			path,
			checked('AlexNet.load', runOptions, options),
			(modelOptions) => new AlexNet(modelOptions),
		);
	}

	/** Writes a checkpoint; no step may be under way. It replaces the file as a whole or not at all. */
	async save(path: string): Promise<void> {
		await saveCheckpoint(this, checked('path', filePath, path));
	}

	/** Trains on pictures, a report at a time; see {@link train}. */
	train(source: PictureSource, options: TrainOptions = {}): AsyncGenerator<TrainReport, void, undefined> {
		return train(this, source, options);
	}

	/** Loss, top-1 and top-5 accuracy on pictures with known labels, and those of each class; see {@link evaluate}. */
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
		const {top = 5, crops} = checked('classify', classifyOptions, options);
		const probabilities = await this.predict(await decodePicture(picture, this.architecture.imageSize), {crops});
		return best(probabilities, top).map((index) => ({
			label: this.labels[index] ?? '',
			index,
			probability: probabilities[index] ?? 0,
		}));
	}
}

function labelsOf({labels, classes}: AlexNetOptions): readonly string[] {
	if (labels && classes !== undefined && classes !== labels.length) {
		throw new AlexNetError('ALEXNET_ARGUMENT', `There are ${labels.length} labels, but classes is ${classes}.`);
	}
	if (labels) return labels;
	if (classes === undefined) throw new AlexNetError('ALEXNET_ARGUMENT', 'Give labels (names) or classes (a number).');
	return Array.from({length: classes}, (_, index) => `class ${index}`);
}
