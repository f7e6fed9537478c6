// A training run as users see it: what runs, how far it is, what it leaves in its folder.
import {listDevices, type AlexNet, type EpochReport, type Init, type TrainOptions, type TrainReport} from '../index.ts';
import {RunFolder} from '../run-folder.ts';
import {describeRun} from './devices-in-words.ts';
import {count, percent} from './format.ts';
import type {Output} from './output.ts';
import {TrainDisplay} from './train-display.ts';
import {UnreadableNotes, type Pictures} from './unreadable.ts';
import {packageVersion} from './version.ts';

/** With fewer pictures than this, nets started as the paper's have been seen to stay at chance. */
const enoughForPaperInit = 100_000;

export interface TrainRunOptions {
	model: AlexNet;
	data: {readonly train: Pictures; readonly validation: Pictures};
	/** The run folder: made if need be, and refused where it holds a checkpoint. */
	out: string;
	/** How the model's weights started. */
	init: Init;
	training: Omit<TrainOptions, 'validation' | 'signal' | 'onProgress'>;
	/** What config.json tells besides what the model and the training options say. */
	settings?: Readonly<Record<string, unknown>>;
	output: Output;
	/** Ends the run after the current step, with a checkpoint. */
	signal?: AbortSignal;
	onReport?: (report: TrainReport) => void | Promise<void>;
}

export interface TrainRunResult {
	run: RunFolder;
	epochs: readonly EpochReport[];
	/** The epoch whose net is in best.safetensors. */
	best: EpochReport;
}

/**
 * Trains, shows progress and writes the run folder: a report a line as they come, a checkpoint and conv1's kernels after
 * each epoch. When the signal aborts it writes a checkpoint, says where, and rejects with the signal's reason.
 *
 * @throws ALEXNET_RUN where the folder cannot be used, and what {@link AlexNet.train} throws.
 */
export async function trainRun(options: TrainRunOptions): Promise<TrainRunResult> {
	const {model, data, output, signal} = options;
	const run = await RunFolder.create(options.out, configOf(options));
	const display = new TrainDisplay(output, model, options.training.epochs ?? 90);
	const unreadable = new UnreadableNotes(output, [data.train, data.validation]);
	const epochs: EpochReport[] = [];
	let saved = 0;
	introduce(options);
	try {
		const validation = data.validation.size > 0 ? data.validation : undefined;
		const onProgress = display.phase.bind(display);
		for await (const report of model.train(data.train, {...options.training, validation, signal, onProgress})) {
			unreadable.tell();
			await run.record(report);
			if (report.type === 'epoch') {
				await run.save(model);
				saved = model.step;
				if (report.best) await run.markBest();
				epochs.push(report);
			}
			display.report(report);
			await options.onReport?.(report);
		}
	} catch (error) {
		output.clear();
		if (signal?.aborted !== true || error !== signal.reason) throw error;
		if (model.step > saved) await run.save(model);
		output.note(
			model.step > 0
				? `Stopped after step ${model.step}. The net is in ${run.file('last')}.`
				: 'Stopped before the first step; there is nothing to save.',
		);
		throw error;
	} finally {
		await run.close();
	}
	return {run, epochs, best: bestOf(epochs)};
}

function introduce({model, data, init, output}: TrainRunOptions): void {
	const {train, validation} = data;
	output.note(describeRun(model.devices, model.precision));
	output.note(
		`Pictures: ${train.size.toLocaleString('en-US')} to train on and ${validation.size.toLocaleString('en-US')} held out, ` +
			`in ${count(model.classes, 'class', 'classes')}.`,
	);
	const mayStay = init === 'paper' && train.size < enoughForPaperInit;
	const advice = " With few pictures such a net can stay at chance for a long time; one of init 'source2012' learns.";
	output.note(`Weights start as in init '${init}'.${mayStay ? advice : ''}`);
}

function bestOf(epochs: readonly EpochReport[]): EpochReport {
	const best = epochs.findLast((epoch) => epoch.best);
	if (!best) throw new Error('A finished run has a best epoch.');
	return best;
}

/** "65.3 % of 1,200 held-out pictures right (top-1) after epoch 7 of 8: run/best.safetensors" */
export function describeBest({run, epochs, best}: TrainRunResult): string {
	const {validation} = best;
	const result = validation
		? `${percent(validation.top1)} of ${count(validation.pictures, 'held-out picture')} right (top-1)`
		: `training loss ${best.loss.toFixed(3)}, no pictures held out,`;
	return `Best: ${result} after epoch ${best.epoch} of ${epochs.length}: ${run.file('best')}`;
}

function configOf({model, data, init, training, settings}: TrainRunOptions): Record<string, unknown> {
	return {
		startedAt: new Date().toISOString(),
		versions: {'alexnet-cuda': packageVersion, node: process.versions.node},
		devices: listDevices().filter(({id}) => model.devices.includes(id)),
		precision: model.precision,
		batchSize: model.batchSize,
		seed: model.seed,
		sgd: model.sgd,
		pcaScale: model.pcaScale,
		init,
		training,
		...settings,
		pictures: {train: data.train.size, validation: data.validation.size},
		labels: model.labels,
	};
}
