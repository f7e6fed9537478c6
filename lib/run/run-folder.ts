// A run folder: what a training run leaves behind, readable at any moment, also after a crash.
import {access, copyFile, link, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {checked, filePath} from '../base/check.ts';
import {anAlexNet, type AlexNet} from '../classifier.ts';
import {AlexNetError, isAlexNetError} from '../base/errors.ts';
import {codeOf, makeFolder, reasonOf, removeEmptyFolders, removeTemporaries, replaceFile} from '../base/files.ts';
import {drawFilters} from './filters.ts';
import {KernelHistory} from './kernel-history.ts';
import {hasKernels, readKernels} from './kernels.ts';
import type {PictureSource} from '../data/picture-source.ts';
import {parseShallow} from '../base/json.ts';
import {permit, requirePermit, type Permit} from '../base/permit.ts';
import {runConfig, runFile, runFiles, type RunConfig, type RunFile} from './run-files.ts';
import {Metrics, type Point, type RecordedReport} from './metrics.ts';
import {cutPredictions, type PredictionCounts} from './predictions.ts';
import type {EpochReport, TrainReport} from '../training/trainer.ts';

/**
 * The files that a training run writes, in a folder of its own (see {@link RunFile}), each whole at any moment. While it is
 * open it is locked: neither another process nor another `RunFolder` can write there.
 *
 * `trainRun` keeps one while it trains. A loop of your own does it so:
 *
 * ```ts
 * await using run = await RunFolder.create('run', {pictures: 'pictures'});
 * for await (const report of model.train(data.train, {validation: data.validation})) {
 * 	await run.record(report);
 * 	if (report.type !== 'epoch') continue;
 * 	await run.save(model);
 * 	if (report.best) await run.markBest();
 * }
 * ```
 */
export class RunFolder implements AsyncDisposable {
	/** Where it is, as it was given. */
	readonly path: string;
	/** The reports of the epochs that had ended when the run was opened. */
	readonly epochs: readonly EpochReport[];
	readonly #metrics: Metrics;
	readonly #kernels: KernelHistory;
	#savedStep: number;
	/** The uppermost folder that was made for this run. */
	#made: string | undefined;

	private constructor(
		given: Permit,
		path: string,
		kept: {metrics: Metrics; kernels: KernelHistory},
		found: {step: number; epochs: readonly EpochReport[]},
	) {
		requirePermit(given, 'RunFolder', 'await RunFolder.create(…) or await RunFolder.resume(…)');
		this.path = path;
		this.epochs = found.epochs;
		this.#metrics = kept.metrics;
		this.#kernels = kept.kernels;
		this.#savedStep = found.step;
	}

	/**
	 * Checks, before anything is loaded, whether {@link RunFolder.create} may take a folder.
	 *
	 * @throws ALEXNET_RUN where a run's checkpoint stands in the folder, which a new run would replace.
	 */
	static async requireFree(path: string): Promise<void> {
		checked('path', filePath, path);
		const names = await readdir(path).catch((error: unknown) => {
			if (codeOf(error) === 'ENOENT') return [];
			throw unusable(path, error);
		});
		const checkpoint = names.find((name) => name === runFiles.last || name === runFiles.best);
		if (checkpoint === undefined) return;
		const message =
			`The run folder '${path}' already holds ${checkpoint}. Choose another folder (--out), go on with the run ` +
			'(--resume, RunFolder.resume), or remove it.';
		throw new AlexNetError('ALEXNET_RUN', message);
	}

	/**
	 * Begins a run: makes the folder and writes `config.json`.
	 *
	 * @param config kept for readers and for {@link RunFolder.read}; whatever JSON can hold
	 * @throws ALEXNET_RUN where the folder holds a checkpoint, a run in it is under way, or it cannot be written.
	 */
	static async create(path: string, config: RunConfig): Promise<RunFolder> {
		checked('config', runConfig, config);
		await RunFolder.requireFree(path);
		return guarded(path, async () => {
			const made = await makeFolder(path);
			const run = await RunFolder.#open(path, config, {step: 0, epochs: 0});
			run.#made = made;
			return run;
		});
	}

	/**
	 * What a run was started with, and whether it has a checkpoint to go on from; one that was killed before its first
	 * has none, and begins anew.
	 *
	 * @throws ALEXNET_RUN where the folder holds no run.
	 */
	static async read(path: string): Promise<{
		/** As {@link RunFolder.create} was given it. */
		config: RunConfig;
		/** Whether there is a `last.safetensors`. */
		hasCheckpoint: boolean;
	}> {
		checked('path', filePath, path);
		try {
			const config = parseShallow(await readFile(join(path, runFiles.config), 'utf8'));
			return {
				config: checked(runFiles.config, runConfig, config),
				hasCheckpoint: await exists(join(path, runFiles.last)),
			};
		} catch (error) {
			const message = `'${path}' holds no run to resume: ${reasonOf(error)}. Start one with --out (RunFolder.create).`;
			throw new AlexNetError('ALEXNET_RUN', message, {cause: error});
		}
	}

	/**
	 * Opens a run to go on with a model, which holds the run's checkpoint or, where there is none, fresh weights:
	 * `metrics.jsonl` is cut to where the model is, and what a killed process left half done is completed or removed.
	 *
	 * @throws ALEXNET_RUN where the run is still under way, or the folder cannot be written.
	 */
	static async resume(path: string, config: RunConfig, model: AlexNet): Promise<RunFolder> {
		checked('path', filePath, path);
		checked('config', runConfig, config);
		checked('model', anAlexNet, model);
		return guarded(path, async () => {
			const {step, progress} = model;
			return RunFolder.#open(path, config, {step, epochs: progress?.epochs ?? 0}, async (run) => {
				const endedEpoch = progress?.epoch.steps === 0;
				if (endedEpoch) await run.keepKernels(model);
				if (endedEpoch && progress.best?.step === step) await run.markBest();
			});
		});
	}

	/** @param complete writes what the checkpoint is ahead of */
	static async #open(
		path: string,
		config: RunConfig,
		point: Point,
		complete?: (run: RunFolder) => Promise<void>,
	): Promise<RunFolder> {
		const metrics = await Metrics.open(join(path, runFiles.metrics));
		try {
			await removeTemporaries(path, Object.values(runFiles));
			await replaceFile(join(path, runFiles.config), (temporary) =>
				writeFile(temporary, `${JSON.stringify(config, undefined, '\t')}\n`),
			);
			await cutPredictions(join(path, runFiles.predictions), point.epochs);
			const kernels = await KernelHistory.open(join(path, runFiles.kernels), point);
			const run = new RunFolder(permit, path, {metrics, kernels}, {step: point.step, epochs: await metrics.cut(point)});
			await complete?.(run);
			return run;
		} catch (error) {
			await metrics.close();
			throw error;
		}
	}

	/** Updates that the last checkpoint has behind it; 0 where there is none. */
	get savedStep(): number {
		return this.#savedStep;
	}

	/** The path of one of its files: `run.file('best')`. */
	file(name: RunFile): string {
		return join(this.path, runFiles[checked('name', runFile, name)]);
	}

	/** Appends a line to `metrics.jsonl` and returns it. It has left the process when the promise resolves. */
	async record(report: TrainReport): Promise<RecordedReport> {
		return guarded(this.path, () => this.#metrics.record(report));
	}

	/**
	 * Writes `last.safetensors` and `filters.png`, and after an epoch `kernels.json`, each replaced as a whole. No step may
	 * be under way.
	 *
	 * @throws ALEXNET_CHECKPOINT or ALEXNET_RUN where a file cannot be written, ALEXNET_LOSS where a weight is no finite
	 * number. There is then the last checkpoint or this one, whole.
	 */
	async save(model: AlexNet): Promise<void> {
		checked('model', anAlexNet, model);
		await guarded(this.path, async () => {
			// A checkpoint must not be ahead of the reports.
			await this.#metrics.sync();
			await model.save(this.file('last'));
			this.#savedStep = model.step;
			await this.keepKernels(model);
		});
	}

	/**
	 * Writes `filters.png` and, where the model is between two epochs, adds conv1's kernels and their measures to
	 * `kernels.json`. `save` does it; call it before training to have the kernels that it begins with. Nothing for a net
	 * without a conv1 that sees pixels.
	 */
	async keepKernels(model: AlexNet): Promise<void> {
		checked('model', anAlexNet, model);
		if (!hasKernels(model)) return;
		await guarded(this.path, async () => {
			const kernels = await readKernels(model);
			await replaceFile(this.file('filters'), (temporary) => drawFilters(kernels, temporary));
			const isBetweenEpochs = (model.progress?.epoch.steps ?? 0) === 0;
			if (isBetweenEpochs) await this.#kernels.add(model, kernels);
		});
	}

	/**
	 * Writes `predictions.json`.
	 *
	 * @internal
	 */
	async keepPredictions(counts: PredictionCounts, source: PictureSource, {step, progress}: AlexNet): Promise<void> {
		const at = {step, epoch: progress?.epochs ?? 0};
		await guarded(this.path, () => counts.write(this.file('predictions'), source, at));
	}

	/** Makes what was saved last the best so far: the same file under a second name, or a copy where links cannot be. */
	async markBest(): Promise<void> {
		const last = this.file('last');
		await guarded(this.path, () =>
			replaceFile(this.file('best'), (temporary) => link(last, temporary).catch(() => copyFile(last, temporary))),
		);
	}

	/** Gives the folder's lock back. Idempotent. */
	async close(): Promise<void> {
		await this.#metrics.close();
	}

	/** As {@link RunFolder.close}: for `await using`. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	/** Closes a run that has come to nothing, and leaves no folder where there was none before {@link RunFolder.create}. */
	async discard(): Promise<void> {
		await this.close();
		if (this.#made === undefined) return;
		for (const name of ['config', 'metrics', 'filters', 'kernels'] as const) await rm(this.file(name), {force: true});
		await removeEmptyFolders(this.path, this.#made);
	}
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		throw isAlexNetError(error) ? error : unusable(path, error);
	}
}

function unusable(path: string, error: unknown): AlexNetError {
	return new AlexNetError('ALEXNET_RUN', `The run folder '${path}' cannot be used: ${reasonOf(error)}.`, {
		cause: error,
	});
}
