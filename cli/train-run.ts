// A training run as users see it: what runs, how far it is, what it leaves in its folder.
import {recipeFor, trainRun, type AlexNet, type EpochReport, type Init} from '../lib/index.ts';
import type {Dataset, RunFolder, SaveEvery, TrainOptions} from '../lib/index.ts';
import {DivergenceNote} from './divergence.ts';
import {describeRun} from './devices-in-words.ts';
import {Interruption, signalOf} from './exit-codes.ts';
import {accuracy, count, learningRateOf} from './format.ts';
import {referenceOf, scaleOf} from '../lib/training/rate-scaling.ts';
import {isAgreed, isStop, together} from '../lib/training/together.ts';
import type {WatchServer} from '../lib/report/watch-server.ts';
import type {Output} from './output.ts';
import {RunReport} from './run-report.ts';
import {TrainDisplay} from './train-display.ts';
import {UnreadableNotes} from './unreadable.ts';

/** How many classes are named before training. */
const mostClasses = 12;

export interface ShownRunOptions {
	/** New, or as {@link RunFolder.resume} was given it. */
	model: AlexNet;
	data: {
		readonly train: Dataset;
		readonly validation: Dataset;
		/** What is said of them first. */
		readonly remarks?: readonly string[];
	};
	/** Closed when the run ends. */
	run: RunFolder;
	/** How the model's weights started, where they are not those of a checkpoint. */
	init?: Init | undefined;
	/** The checkpoint that its weights come from. */
	from?: string | undefined;
	training: Omit<TrainOptions, 'validation' | 'signal' | 'onProgress'> & {epochs: number};
	saveEvery?: SaveEvery | undefined;
	output: Output;
	/** Ends the run after the current step, with a checkpoint. */
	signal?: AbortSignal;
	/** The command that goes on after an interruption. */
	resumeWith?: string;
	/** Shows the run while it is under way. Closed when the run ends. */
	watch?: WatchServer | undefined;
}

export interface ShownRun {
	run: RunFolder;
	/** All of the run, those before it was resumed included. */
	epochs: readonly EpochReport[];
}

/**
 * {@link trainRun}, as a user sees it: what runs, how far it is, what it leaves.
 *
 * @throws what {@link trainRun} throws; an {@link Interruption} says how to go on.
 */
export async function trainInTerminal(options: ShownRunOptions): Promise<ShownRun> {
	const {model, data, run, training, saveEvery, output, signal, resumeWith, watch} = options;
	const page = new RunReport(run, output);
	const display = new TrainDisplay(output, model, training.epochs);
	const unreadable = new UnreadableNotes(output, [data.train, data.validation]);
	const divergence = new DivergenceNote(output, model);
	try {
		introduce(options);
	} catch (error) {
		await watch?.close('The run has not begun.');
		await run.discard();
		throw error;
	}
	let isSaved = false;
	let how = 'The run has failed.';
	try {
		const epochs = await trainRun({
			...{...training, run, model, saveEvery, signal},
			...{source: data.train, validation: data.validation},
			onProgress: display.phase.bind(display),
			onReport: (report) => {
				unreadable.tell();
				display.report(report);
				divergence.tell(report);
				watch?.add(report);
				if (report.type === 'epoch') page.refresh();
			},
			onStop: (reason) => {
				isSaved = true;
				how = `Stopped after step ${model.step}; the net is saved.`;
				output.clear();
				sayWhereStopped(options);
				const isAsked = reason === signal?.reason || isStop(reason);
				if (!isAsked && resumeWith !== undefined) output.note(`Go on with: ${resumeWith}`);
			},
		});
		isSaved = true;
		how = 'The run has come to its end.';
		return {run, epochs};
	} catch (error) {
		output.clear();
		throw interrupted(options, error);
	} finally {
		await watch?.close(how);
		if (isSaved) await page.end();
	}
}

function introduce(options: ShownRunOptions): void {
	const {model, data, init, from, output, training} = options;
	const {train, validation, remarks = []} = data;
	for (const remark of remarks) output.note(remark);
	output.note(describeRun(model));
	output.note(
		`Pictures: ${train.size.toLocaleString('en-US')} to train on and ${validation.size.toLocaleString('en-US')} held out, ` +
			`in ${count(model.classes, 'class', 'classes')}.`,
	);
	output.note(describeClasses(data));
	const scaling = describeScaling(options);
	if (scaling !== undefined) output.note(scaling);
	if (model.progress) {
		const {epochs} = model.progress;
		const done = epochs >= training.epochs ? ' Nothing is left to do: raise --epochs to go on.' : '';
		output.note(`Going on after step ${model.step}, with ${count(epochs, 'whole epoch')} made.${done}`);
		return;
	}
	if (from !== undefined) output.note(describeStart(model, from));
	if (model.frozen.length > 0) output.note(`Frozen: ${model.frozen.join(', ')}.`);
	if (init === undefined) return;
	const mayStay = init === 'paper' && recipeFor(train.size) === 'small';
	const advice = " With few pictures such a net can stay at chance for a long time; with the recipe 'small' it learns.";
	output.note(`Weights start as in init '${init}'.${mayStay ? advice : ''}`);
}

/** "Learning rate 0.02: 0.005 for batches of 32, times 4 for 128 (linear), after a warm-up of 5 epochs." */
function describeScaling({model, training}: ShownRunOptions): string | undefined {
	const {learningRateScaling = 'none', warmUpEpochs = 0} = training;
	if (learningRateScaling === 'none') return undefined;
	const {batchSize = model.batchSize} = training;
	const {learningRate} = model.sgd;
	const scale = scaleOf(training, batchSize);
	const warmUp = warmUpEpochs > 0 ? `, after a warm-up of ${count(warmUpEpochs, 'epoch')}` : '';
	return (
		`Learning rate ${learningRateOf(learningRate * scale)}: ${learningRate} for batches of ${referenceOf(training)}, ` +
		`times ${learningRateOf(scale)} for ${batchSize} (${learningRateScaling})${warmUp}.`
	);
}

/** "Weights start as those of 'net.safetensors'; fc8 is new and learns 10 times as fast." */
function describeStart({architecture, sgd}: AlexNet, from: string): string {
	const last = architecture.layers.at(-1)?.name ?? '';
	return `Weights start as those of '${from}'; ${last} is new and learns ${sgd.lastLayerLearningRateScale} times as fast.`;
}

/** "Classes: cat 90 + 10, dog 81 + 9 (trained on + held out)." */
export function describeClasses({train, validation}: ShownRunOptions['data']): string {
	const {labels} = train;
	const counts = [train, validation].map(({pictures}) => {
		const ofClass = new Array<number>(labels.length).fill(0);
		for (const {label} of pictures) ofClass[label] = (ofClass[label] ?? 0) + 1;
		return ofClass;
	});
	const numbers = (label: number): string => counts.map((each) => each[label]?.toLocaleString('en-US')).join(' + ');
	const shown = labels.slice(0, mostClasses).map((name, label) => `${name} ${numbers(label)}`);
	const rest = labels.length - mostClasses;
	const others = rest > 0 ? ` and ${count(rest, 'other')}` : '';
	return `Classes: ${shown.join(', ')}${others} (trained on + held out).`;
}

/** Says what is left of a run. */
function sayWhereStopped({model, run, output}: ShownRunOptions): void {
	output.note(
		model.step > 0
			? `Stopped after step ${model.step}. The net is in ${run.file('last')}.`
			: 'Stopped before the first step; there is nothing to save.',
	);
}

/** The error that ends an interrupted run says how to go on. */
function interrupted({resumeWith}: ShownRunOptions, error: unknown): unknown {
	const signal = signalOf(error);
	if (signal === undefined || resumeWith === undefined) return error;
	const told = new Interruption(signal, `Go on with: ${resumeWith}`);
	return isAgreed(error) ? together(told) : told;
}

/** "Best: top-1 65.3 %, the largest class alone is 12.0 % (1,200 held-out pictures) after epoch 7 of 8: run/best.safetensors" */
export function describeBest({run, epochs}: ShownRun): string {
	const best = epochs.findLast((epoch) => epoch.best);
	if (!best) return `No epoch was good enough to be kept as the best; the last one's net is in ${run.file('last')}.`;
	const {validation} = best;
	const result = validation
		? `${accuracy(validation, {top5: false})} (${count(validation.pictures, 'held-out picture')})`
		: `training loss ${best.loss.toFixed(3)}, no pictures held out,`;
	return `Best: ${result} after epoch ${best.epoch} of ${epochs.length}: ${run.file('best')}`;
}
