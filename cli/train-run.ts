// A training run as users see it: what runs, how far it is, what it leaves in its folder.
import {filled, integer, number, option, options} from '../lib/base/check.ts';
import {isAlexNetError} from '../lib/base/errors.ts';
import {
	recipeFor,
	type AlexNet,
	type EpochReport,
	type Init,
	type PictureSource,
	type TrainOptions,
	type TrainReport,
} from '../lib/index.ts';
import type {RunFolder} from '../lib/run/run-folder.ts';
import {DivergenceNote} from './divergence.ts';
import {describeRun} from './devices-in-words.ts';
import {Interruption} from './exit-codes.ts';
import {accuracy, count} from './format.ts';
import type {Output} from './output.ts';
import {TrainDisplay} from './train-display.ts';
import {UnreadableNotes} from './unreadable.ts';

/** How many classes are named before training. */
const mostClasses = 12;

/** When a checkpoint is written besides after each epoch: whichever comes first. */
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

export interface TrainRunOptions {
	/** New, or as {@link RunFolder.resume} was given it. */
	model: AlexNet;
	data: {
		readonly train: PictureSource;
		readonly validation: PictureSource;
		/** What is said of them first. */
		readonly remarks?: readonly string[];
	};
	/** Closed when the run ends. */
	run: RunFolder;
	/** How the model's weights started. */
	init: Init;
	training: Omit<TrainOptions, 'validation' | 'signal' | 'onProgress'> & {epochs: number};
	saveEvery?: SaveEvery | undefined;
	output: Output;
	/** Ends the run after the current step, with a checkpoint. */
	signal?: AbortSignal;
	/** The command that goes on after an interruption. */
	resumeWith?: string;
}

export interface TrainRunResult {
	run: RunFolder;
	/** All of the run, those before it was resumed included. */
	epochs: readonly EpochReport[];
}

/**
 * Trains, shows progress and writes the run folder: a report a line as they come, a checkpoint and conv1's kernels after
 * each epoch and now and then between. When the signal aborts it writes a checkpoint, says where, and rejects with the
 * signal's reason; likewise, with the error, where pictures cannot be had. A new run that fails before its first step
 * leaves no folder behind.
 *
 * @throws ALEXNET_RUN or ALEXNET_CHECKPOINT where the folder cannot be written, and what {@link AlexNet.train} throws;
 * the last checkpoint is whole then.
 */
export async function trainRun(options: TrainRunOptions): Promise<TrainRunResult> {
	const {model, data, run, output, signal} = options;
	const epochs = [...run.epochs];
	const saver = new Saver(run, model, options.saveEvery);
	const display = new TrainDisplay(output, model, options.training.epochs);
	const unreadable = new UnreadableNotes(output, [data.train, data.validation]);
	const divergence = new DivergenceNote(output, model);
	try {
		await introduce(options);
		const validation = data.validation.size > 0 ? data.validation : undefined;
		const onProgress = display.phase.bind(display);
		for await (const report of model.train(data.train, {...options.training, validation, signal, onProgress})) {
			unreadable.tell();
			const recorded = await run.record(report);
			await saver.after(report);
			if (report.type === 'epoch') epochs.push(report);
			display.report(recorded);
			divergence.tell(report);
		}
	} catch (error) {
		output.clear();
		const isInterruption = signal?.aborted === true && error === signal.reason;
		if (!isInterruption && model.step === 0) await run.discard();
		// Pictures that are away, or that a strict run refuses, are no reason to lose steps.
		const isOfPictures = isAlexNetError(error, 'ALEXNET_FOLDER') || isAlexNetError(error, 'ALEXNET_PICTURE');
		if (!isInterruption && (model.step === 0 || !isOfPictures)) throw error;
		await saver.save();
		sayWhereStopped(options);
		if (!isInterruption && options.resumeWith !== undefined) output.note(`Go on with: ${options.resumeWith}`);
		throw isInterruption ? interrupted(options, error) : error;
	} finally {
		await run.close();
	}
	return {run, epochs};
}

/** Decides when a checkpoint is due, and writes it. */
class Saver {
	readonly #run: RunFolder;
	readonly #model: AlexNet;
	readonly #every: {steps: number; minutes: number};
	#savedStep: number;
	#savedAt = performance.now();

	constructor(run: RunFolder, model: AlexNet, every: SaveEvery = {}) {
		const {steps = Infinity, minutes} = filled(saveEveryOptions, every);
		this.#run = run;
		this.#model = model;
		this.#every = {steps, minutes};
		this.#savedStep = model.step;
	}

	async after(report: TrainReport): Promise<void> {
		const steps = this.#model.step - this.#savedStep;
		const minutes = (performance.now() - this.#savedAt) / 60_000;
		if (report.type === 'epoch' || steps >= this.#every.steps || minutes >= this.#every.minutes) await this.#write();
		if (report.type === 'epoch' && report.best) await this.#run.markBest();
	}

	/** Nothing where nothing has been learned since. */
	async save(): Promise<void> {
		if (this.#model.step > this.#savedStep) await this.#write();
	}

	async #write(): Promise<void> {
		await this.#run.save(this.#model);
		this.#savedStep = this.#model.step;
		this.#savedAt = performance.now();
	}
}

async function introduce({model, data, init, output, training}: TrainRunOptions): Promise<void> {
	const {train, validation, remarks = []} = data;
	for (const remark of remarks) output.note(remark);
	output.note(describeRun(model));
	output.note(
		`Pictures: ${train.size.toLocaleString('en-US')} to train on and ${validation.size.toLocaleString('en-US')} held out, ` +
			`in ${count(model.classes, 'class', 'classes')}.`,
	);
	output.note(await describeClasses(data));
	if (model.progress) {
		const {epochs} = model.progress;
		const done = epochs >= training.epochs ? ' Nothing is left to do: raise --epochs to go on.' : '';
		output.note(`Going on after step ${model.step}, with ${count(epochs, 'whole epoch')} made.${done}`);
		return;
	}
	const mayStay = init === 'paper' && recipeFor(train.size) === 'small';
	const advice = " With few pictures such a net can stay at chance for a long time; with the recipe 'small' it learns.";
	output.note(`Weights start as in init '${init}'.${mayStay ? advice : ''}`);
}

/** "Classes: cat 90 + 10, dog 81 + 9 (trained on + held out)." */
async function describeClasses({train, validation}: TrainRunOptions['data']): Promise<string> {
	const {labels} = train;
	const counts = await Promise.all([train.contents?.(), validation.size > 0 ? validation.contents?.() : undefined]);
	const numbers = (label: number): string =>
		counts.map((classes) => classes?.[label]?.pictures.toLocaleString('en-US') ?? '0').join(' + ');
	const shown = labels.slice(0, mostClasses).map((name, label) => (counts[0] ? `${name} ${numbers(label)}` : name));
	const rest = labels.length - mostClasses;
	const others = rest > 0 ? ` and ${count(rest, 'other')}` : '';
	return `Classes: ${shown.join(', ')}${others}${counts[0] ? ' (trained on + held out)' : ''}.`;
}

/** Says what is left of a run. */
function sayWhereStopped({model, run, output}: TrainRunOptions): void {
	output.note(
		model.step > 0
			? `Stopped after step ${model.step}. The net is in ${run.file('last')}.`
			: 'Stopped before the first step; there is nothing to save.',
	);
}

/** The error that ends an interrupted run says how to go on. */
function interrupted({resumeWith}: TrainRunOptions, error: unknown): unknown {
	if (!(error instanceof Interruption) || resumeWith === undefined) return error;
	return new Interruption(error.signal, `Go on with: ${resumeWith}`);
}

/** "Best: top-1 65.3 %, the largest class alone is 12.0 % (1,200 held-out pictures) after epoch 7 of 8: run/best.safetensors" */
export function describeBest({run, epochs}: TrainRunResult): string {
	const best = epochs.findLast((epoch) => epoch.best);
	if (!best) return `No epoch was good enough to be kept as the best; the last one's net is in ${run.file('last')}.`;
	const {validation} = best;
	const result = validation
		? `${accuracy(validation, {top5: false})} (${count(validation.pictures, 'held-out picture')})`
		: `training loss ${best.loss.toFixed(3)}, no pictures held out,`;
	return `Best: ${result} after epoch ${best.epoch} of ${epochs.length}: ${run.file('best')}`;
}
