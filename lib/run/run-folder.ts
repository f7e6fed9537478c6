// A run folder: what a training run leaves behind, readable at any moment, also after a crash.
import {access, copyFile, link, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {checked, recordOf, unknown} from '../base/check.ts';
import type {AlexNet} from '../classifier.ts';
import {AlexNetError, isAlexNetError} from '../base/errors.ts';
import {codeOf, makeFolder, reasonOf, removeEmptyFolders, removeTemporaries, replaceFile} from '../base/files.ts';
import {writeFilters} from './filters.ts';
import {parseShallow} from '../base/json.ts';
import {permit, requirePermit, type Permit} from '../base/permit.ts';
import {Metrics, type Point, type RecordedReport} from './metrics.ts';
import type {EpochReport, TrainReport} from '../training/trainer.ts';

/** Names of the files in a run folder. */
export const runFiles = {
	/** What the run was started with. */
	config: 'config.json',
	/** One JSON report a line. */
	metrics: 'metrics.jsonl',
	/** The net as it was saved last: what a run is resumed from. */
	last: 'last.safetensors',
	/** The net after the epoch with the lowest validation error. */
	best: 'best.safetensors',
	/** conv1's kernels. */
	filters: 'filters.png',
} as const;

/** What the run was started with, as plain data. */
export type RunConfig = Readonly<Record<string, unknown>>;

/** The files that a training run writes, in a folder of its own. */
export class RunFolder {
	readonly path: string;
	/** The reports of the epochs that had ended when the run was opened. */
	readonly epochs: readonly EpochReport[];
	readonly #metrics: Metrics;
	/** The uppermost folder that was made for this run. */
	#made: string | undefined;

	private constructor(given: Permit, path: string, metrics: Metrics, epochs: readonly EpochReport[]) {
		requirePermit(given, 'RunFolder', 'await RunFolder.create(…) or await RunFolder.resume(…)');
		this.path = path;
		this.epochs = epochs;
		this.#metrics = metrics;
	}

	/** @throws ALEXNET_RUN where a run's checkpoint stands in the folder, which a new run would replace. */
	static async requireFree(path: string): Promise<void> {
		const names = await readdir(path).catch((error: unknown) => {
			if (codeOf(error) === 'ENOENT') return [];
			throw unusable(path, error);
		});
		const checkpoint = names.find((name) => name === runFiles.last || name === runFiles.best);
		if (checkpoint === undefined) return;
		const message =
			`The run folder '${path}' already holds ${checkpoint}. Choose another folder (--out), go on with the run ` +
			'(--resume), or remove it.';
		throw new AlexNetError('ALEXNET_RUN', message);
	}

	/**
	 * Makes the folder and writes `config.json`.
	 *
	 * @throws ALEXNET_RUN where the folder holds a checkpoint, a run in it is under way, or it cannot be written.
	 */
	static async create(path: string, config: RunConfig): Promise<RunFolder> {
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
	static async read(path: string): Promise<{config: RunConfig; hasCheckpoint: boolean}> {
		try {
			const config = parseShallow(await readFile(join(path, runFiles.config), 'utf8'));
			checked(runFiles.config, recordOf(unknown), config);
			return {config: config as RunConfig, hasCheckpoint: await exists(join(path, runFiles.last))};
		} catch (error) {
			const message = `'${path}' holds no run to resume: ${reasonOf(error)}. Start one with --out.`;
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
		return guarded(path, async () => {
			const {step, progress} = model;
			return RunFolder.#open(path, config, {step, epochs: progress?.epochs ?? 0}, async (run) => {
				const endedEpoch = progress?.epoch.steps === 0;
				if (endedEpoch) await run.#saveFilters(model);
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
			const run = new RunFolder(permit, path, metrics, await metrics.cut(point));
			await complete?.(run);
			return run;
		} catch (error) {
			await metrics.close();
			throw error;
		}
	}

	/** The path of one of its files. */
	file(name: keyof typeof runFiles): string {
		return join(this.path, runFiles[name]);
	}

	/** Appends a line to `metrics.jsonl` and returns it. It has left the process when the promise resolves. */
	async record(report: TrainReport): Promise<RecordedReport> {
		return guarded(this.path, () => this.#metrics.record(report));
	}

	/**
	 * Writes `last.safetensors` and `filters.png`, each replaced as a whole. No step may be under way.
	 *
	 * @throws ALEXNET_CHECKPOINT or ALEXNET_RUN where a file cannot be written, ALEXNET_LOSS where a weight is no finite
	 * number. There is then the last checkpoint or this one, whole.
	 */
	async save(model: AlexNet): Promise<void> {
		await guarded(this.path, async () => {
			// A checkpoint must not be ahead of the reports.
			await this.#metrics.sync();
			await model.save(this.file('last'));
			await this.#saveFilters(model);
		});
	}

	/** Makes what was saved last the best so far: the same file under a second name, or a copy where links cannot be. */
	async markBest(): Promise<void> {
		const last = this.file('last');
		await guarded(this.path, () =>
			replaceFile(this.file('best'), (temporary) => link(last, temporary).catch(() => copyFile(last, temporary))),
		);
	}

	/** Idempotent. */
	async close(): Promise<void> {
		await this.#metrics.close();
	}

	/** Closes a run that has come to nothing, and leaves no folder where there was none. */
	async discard(): Promise<void> {
		await this.close();
		if (this.#made === undefined) return;
		for (const name of ['config', 'metrics'] as const) await rm(this.file(name), {force: true});
		await removeEmptyFolders(this.path, this.#made);
	}

	async #saveFilters(model: AlexNet): Promise<void> {
		await replaceFile(this.file('filters'), (temporary) => writeFilters(model, temporary));
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
