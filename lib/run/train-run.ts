// Training that keeps a run folder: reports, checkpoints now and then, and what is left where it stops.
import {callback, checked, filled, integer, must, needed, number, option, options} from '../base/check.ts';
import {isAlexNetError} from '../base/errors.ts';
import {anAlexNet, type AlexNet} from '../classifier.ts';
import {pictureSource, type PictureSource} from '../data/picture-source.ts';
import {requireRateScaling} from '../training/rate-scaling.ts';
import {trainOptions, type EpochReport, type TrainOptions, type TrainReport} from '../training/trainer.ts';
import type {SeenPicture} from '../training/evaluate.ts';
import {isStop} from '../training/together.ts';
import type {RecordedReport} from './metrics.ts';
import {PredictionCounts} from './predictions.ts';
import {RunFolder} from './run-folder.ts';

/**
 * When a checkpoint is written besides after each epoch: whichever comes first. Before an epoch's validation, which may
 * take long, one is due after a tenth of the minutes.
 */
export interface SaveEvery {
	/** Steps after which a checkpoint is written, besides after each epoch. */
	steps?: number | undefined;
	/** Minutes after which a checkpoint is written, besides after each epoch. Default 10. */
	minutes?: number | undefined;
}

export const saveEveryOptions = options<SaveEvery>()({
	steps: option(integer(1), 'steps after which a checkpoint is written, besides after each epoch'),
	minutes: option(number(0), 'minutes after which a checkpoint is written, besides after each epoch', 10),
});

/** What {@link trainRun} takes: a run, what it learns from, and all that `AlexNet.train` takes. */
export interface TrainRunOptions extends TrainOptions {
	/** New, or resumed. Closed when the promise settles. */
	run: RunFolder;
	/** New, or as `RunFolder.resume` was given it. */
	model: AlexNet;
	/** The pictures to train on. */
	source: PictureSource;
	/** Evaluated after each epoch, where it has any pictures: the best epoch is told by them. */
	validation?: PictureSource | undefined;
	/** When a checkpoint is written besides after each epoch. Default: every 10 minutes. */
	saveEvery?: SaveEvery | undefined;
	/** Called with each report when it is in `metrics.jsonl` and the checkpoint that it asks for is written. */
	onReport?: ((report: RecordedReport) => void) | undefined;
	/** Called where training ends early and can go on, with what the promise rejects with. The net is saved. */
	onStop?: ((reason: unknown) => void) | undefined;
}

export const trainRunOptions = options<TrainRunOptions>()({
	...trainOptions.checks,
	run: needed(must<RunFolder>('a RunFolder', (value) => value instanceof RunFolder)),
	model: needed(anAlexNet),
	source: needed(pictureSource),
	saveEvery: saveEveryOptions,
	onReport: callback(),
	onStop: callback(),
});

/**
 * Trains and writes the run folder: a report a line as they come, a checkpoint and conv1's kernels after each epoch and
 * now and then between, the best epoch's net beside the last one, what the net told of the held-out pictures.
 *
 * ```ts
 * const data = await ImageFolder.open('pictures');
 * await using model = await AlexNet.create({labels: data.labels, ...recipes.small.create});
 * const run = await RunFolder.create('run', {pictures: 'pictures', recipe: 'small'});
 * const {train: source, validation} = data;
 * await trainRun({run, model, source, validation, ...recipes.small.train});
 * ```
 *
 * When the signal aborts it writes a checkpoint and rejects with the signal's reason; likewise, with the error, where
 * pictures cannot be had. Such a run goes on bit for bit, in this process or another:
 *
 * ```ts
 * const {config} = await RunFolder.read('run');
 * await using model = await AlexNet.load('run/last.safetensors');
 * const run = await RunFolder.resume('run', config, model);
 * await trainRun({run, model, source, validation, ...recipes.small.train});
 * ```
 *
 * A new run that fails before its first step leaves no folder behind.
 *
 * @returns the reports of all epochs of the run, those before it was resumed included
 * @throws ALEXNET_RUN or ALEXNET_CHECKPOINT where the folder cannot be written, and what `AlexNet.train` and the
 * callbacks throw; the last checkpoint is whole then. ALEXNET_ARGUMENT for options that cannot be: the run stays open.
 */
export async function trainRun(options: TrainRunOptions): Promise<readonly EpochReport[]> {
	const {run, model, source, saveEvery, onReport, onStop, ...training} = checked('trainRun', trainRunOptions, options);
	requireRateScaling(training);
	const {signal, validation, onPicture} = training;
	const epochs = [...run.epochs];
	const isNew = run.savedStep === 0;
	const begun = model.step;
	const heldOut = validation && validation.size > 0 ? validation : undefined;
	const saver = new Saver(run, model, heldOut !== undefined, saveEvery);
	try {
		let predictions = new PredictionCounts(model.labels);
		const watch = (seen: SeenPicture): void => {
			predictions.add(seen);
			onPicture?.(seen);
		};
		if (isNew) await run.keepKernels(model);
		for await (const report of model.train(source, {...training, validation: heldOut, onPicture: watch})) {
			const recorded = await run.record(report);
			if (report.type === 'epoch' && heldOut) {
				await run.keepPredictions(predictions, heldOut, model);
				predictions = new PredictionCounts(model.labels);
			}
			await saver.after(report);
			if (report.type === 'epoch') epochs.push(report);
			onReport?.(recorded);
		}
	} catch (error) {
		const isInterruption = isStop(error) || (signal?.aborted === true && error === signal.reason);
		const hasComeToNothing = !isInterruption && isNew && model.step === begun;
		if (hasComeToNothing) await run.discard();
		// Pictures that are away, or that a strict run refuses, are no reason to lose steps.
		const isOfPictures = isAlexNetError(error, 'ALEXNET_FOLDER') || isAlexNetError(error, 'ALEXNET_PICTURE');
		if (hasComeToNothing || (!isInterruption && !isOfPictures)) throw error;
		await saver.save();
		onStop?.(error);
		throw error;
	} finally {
		await run.close();
	}
	return epochs;
}

/** Decides when a checkpoint is due, and writes it. */
class Saver {
	readonly #run: RunFolder;
	readonly #model: AlexNet;
	readonly #validates: boolean;
	readonly #every: {steps: number; minutes: number};
	#savedAt = performance.now();

	/** @param validates whether each epoch ends with a validation */
	constructor(run: RunFolder, model: AlexNet, validates: boolean, every: SaveEvery = {}) {
		const {steps = Infinity, minutes} = filled(saveEveryOptions, every);
		this.#run = run;
		this.#model = model;
		this.#validates = validates;
		this.#every = {steps, minutes};
	}

	async after(report: TrainReport): Promise<void> {
		const steps = this.#model.step - this.#run.savedStep;
		const minutes = (performance.now() - this.#savedAt) / 60_000;
		const isBeforeValidation = this.#validates && report.type === 'step' && report.stepOfEpoch === report.stepsPerEpoch;
		const most = this.#every.minutes / (isBeforeValidation ? 10 : 1);
		if (report.type === 'epoch' || steps >= this.#every.steps || minutes >= most) await this.#write();
		if (report.type === 'epoch' && report.best) await this.#run.markBest();
	}

	/** Nothing where nothing has been learned since. */
	async save(): Promise<void> {
		if (this.#model.step > this.#run.savedStep) await this.#write();
	}

	async #write(): Promise<void> {
		await this.#run.save(this.#model);
		this.#savedAt = performance.now();
	}
}
