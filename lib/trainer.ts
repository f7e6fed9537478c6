import {requireInteger} from './check.ts';
import {AlexNetError} from './errors.ts';
import {evaluate, requireSameLabels, type Evaluation} from './evaluate.ts';
import type {Model} from './model.ts';
import type {StepResult} from './options.ts';
import type {PictureSource} from './picture-source.ts';
import {shuffled} from './random.ts';
import {Schedule, type ScheduleOptions} from './schedule.ts';

export interface TrainOptions extends ScheduleOptions {
	/** Passes over the pictures. Default 90. */
	epochs?: number | undefined;
	/** Default: the model's. */
	batchSize?: number | undefined;
	/** Evaluated after each epoch. */
	validation?: PictureSource | undefined;
	/** Views of each validation picture. Default 1. */
	crops?: 1 | 10 | undefined;
	/** `paper` (default): random crops, mirror images and PCA colour. `none`: centre crops. */
	augment?: 'paper' | 'none' | undefined;
	/** Rejects with the signal's reason after the current step. */
	signal?: AbortSignal | undefined;
	/** Called while no steps are made: pictures done and all pictures of what is being done. */
	onProgress?: ((phase: 'statistics' | 'validation', done: number, total: number) => void) | undefined;
}

export interface StepReport extends StepResult {
	type: 'step';
	/** From 1. */
	epoch: number;
	/** Updates made, over all epochs. */
	step: number;
	/** Steps of this epoch: which one this was, and how many there are. */
	stepOfEpoch: number;
	stepsPerEpoch: number;
	learningRate: number;
	/** Of this step, waiting for pictures included. */
	imagesPerSecond: number;
}

export interface EpochReport extends StepResult {
	type: 'epoch';
	/** The epoch that has ended, from 1. */
	epoch: number;
	step: number;
	learningRate: number;
	/** Over the whole epoch, validation not included. */
	imagesPerSecond: number;
	/** Whether the validation error is the lowest so far (the training loss, where there is no validation). */
	best: boolean;
	validation?: Evaluation;
}

export type TrainReport = StepReport | EpochReport;

/**
 * Trains, reporting after each step and epoch; nothing runs unless the next report is asked for. Leaving the loop ends
 * training after the current step: the weights are always those of a whole step.                            paper 5
 *
 * Takes the mean image and PCA of `source` where the model has none yet.
 *
 * @throws ALEXNET_LOSS where the loss is no longer finite.
 */
export async function* train(
	model: Model,
	source: PictureSource,
	options: TrainOptions = {},
): AsyncGenerator<TrainReport, void, undefined> {
	const {epochs = 90, validation, crops, signal, onProgress} = options;
	const batchSize = requireInteger('batchSize', options.batchSize ?? model.batchSize, 1);
	requireInteger('epochs', epochs, 1);
	requireSameLabels(model, source);
	if (validation) requireSameLabels(model, validation);
	requireWholeBatch(source, batchSize);
	const schedule = new Schedule(options);
	const during = (phase: 'statistics' | 'validation') => (done: number, total: number) =>
		onProgress?.(phase, done, total);
	if (model.step === 0) model.statistics = await source.statistics({signal, onProgress: during('statistics')});
	let lowest = Infinity;
	for (let epoch = 1; epoch <= epochs; ++epoch) {
		const means = new Means();
		for await (const report of trainEpoch(model, source, {...options, batchSize}, epoch)) {
			means.add(report, batchSize);
			yield report;
		}
		if (means.steps === 0) {
			throw new AlexNetError(
				'ALEXNET_PICTURE',
				`Too few of the ${source.size} pictures could be read to fill one batch.`,
			);
		}
		const evaluation =
			validation && (await evaluate(model, validation, {crops, signal, onProgress: during('validation')}));
		const error = evaluation ? 1 - evaluation.top1 : means.result.loss;
		const {learningRate} = model.sgd;
		const best = error < lowest;
		lowest = Math.min(lowest, error);
		if (schedule.divides(epoch, evaluation && error)) model.sgd = {...model.sgd, learningRate: learningRate / 10};
		yield {
			type: 'epoch',
			epoch,
			step: model.step,
			...means.result,
			learningRate,
			imagesPerSecond: means.imagesPerSecond,
			best,
			...(evaluation && {validation: evaluation}),
		};
	}
}

async function* trainEpoch(
	model: Model,
	source: PictureSource,
	{augment, signal, batchSize}: TrainOptions & {batchSize: number},
	epoch: number,
): AsyncGenerator<StepReport> {
	const order = shuffled(source.size, model.seed, epoch);
	const stepsPerEpoch = Math.floor(source.size / batchSize);
	let stepOfEpoch = 0;
	let last = performance.now();
	for await (const {images, labels, indices} of source.batches({batchSize, order, dropLast: true, signal})) {
		signal?.throwIfAborted();
		const {learningRate} = model.sgd;
		const result = await model.trainStep({images, labels, indices, epoch, augment});
		const now = performance.now();
		if (!Number.isFinite(result.loss)) {
			throw new AlexNetError(
				'ALEXNET_LOSS',
				`The loss of step ${model.step} is ${result.loss}. Try a lower learningRate than ${learningRate}.`,
			);
		}
		yield {
			type: 'step',
			epoch,
			step: model.step,
			stepOfEpoch: ++stepOfEpoch,
			stepsPerEpoch,
			...result,
			learningRate,
			imagesPerSecond: (batchSize * 1000) / (now - last),
		};
		last = performance.now();
		signal?.throwIfAborted();
	}
}

/** Means over the steps of an epoch. */
class Means {
	steps = 0;
	#seconds = 0;
	#pictures = 0;
	readonly #sums = {loss: 0, top1: 0, top5: 0};

	add({loss, top1, top5, imagesPerSecond}: StepReport, pictures: number): void {
		++this.steps;
		this.#pictures += pictures;
		this.#seconds += pictures / imagesPerSecond;
		this.#sums.loss += loss;
		this.#sums.top1 += top1;
		this.#sums.top5 += top5;
	}

	get result(): StepResult {
		const {loss, top1, top5} = this.#sums;
		return {loss: loss / this.steps, top1: top1 / this.steps, top5: top5 / this.steps};
	}

	get imagesPerSecond(): number {
		return this.#pictures / this.#seconds;
	}
}

function requireWholeBatch({size}: PictureSource, batchSize: number): void {
	if (size >= batchSize) return;
	throw new AlexNetError(
		'ALEXNET_ARGUMENT',
		`The training set has ${size} pictures, fewer than one batch of ${batchSize}. Use a batchSize of at most ${size}.`,
	);
}
