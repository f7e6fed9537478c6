// A run folder: what a training run leaves behind, readable at any moment, also after a crash.
import {copyFile, link, mkdir, open, readdir, rename, rm, writeFile, type FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
import type {AlexNet} from './classifier.ts';
import {AlexNetError} from './errors.ts';
import {writeFilters} from './filters.ts';
import type {TrainReport} from './trainer.ts';

/** Names of the files in a run folder. */
export const runFiles = {
	/** What the run was started with. */
	config: 'config.json',
	/** One JSON report a line. */
	metrics: 'metrics.jsonl',
	/** The net after the last epoch, or after the last step where the run was interrupted. */
	last: 'last.safetensors',
	/** The net after the epoch with the lowest validation error. */
	best: 'best.safetensors',
	/** conv1's kernels. */
	filters: 'filters.png',
} as const;

/** The files that a training run writes, in a folder of its own. */
export class RunFolder {
	readonly path: string;
	readonly #metrics: FileHandle;

	private constructor(path: string, metrics: FileHandle) {
		this.path = path;
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
		const message = `The run folder '${path}' already holds ${checkpoint}. Choose another folder (--out), or remove this one.`;
		throw new AlexNetError('ALEXNET_RUN', message);
	}

	/**
	 * Makes the folder and writes `config.json`.
	 *
	 * @param config what the run is started with, as plain data
	 * @throws ALEXNET_RUN where the folder holds a checkpoint or cannot be written.
	 */
	static async create(path: string, config: Readonly<Record<string, unknown>>): Promise<RunFolder> {
		await RunFolder.requireFree(path);
		try {
			await mkdir(path, {recursive: true});
			await writeFile(join(path, runFiles.config), `${JSON.stringify(config, undefined, '\t')}\n`);
			return new RunFolder(path, await open(join(path, runFiles.metrics), 'w'));
		} catch (error) {
			throw unusable(path, error);
		}
	}

	/** The path of one of its files. */
	file(name: keyof typeof runFiles): string {
		return join(this.path, runFiles[name]);
	}

	/** Appends a line to `metrics.jsonl`. It has left the process when the promise resolves. */
	async record(report: TrainReport): Promise<void> {
		await this.#metrics.appendFile(`${JSON.stringify(report)}\n`);
	}

	/** Writes `last.safetensors` and `filters.png`, each replaced as a whole. No step may be under way. */
	async save(model: AlexNet): Promise<void> {
		await model.save(this.file('last'));
		await replace(this.file('filters'), (temporary) => writeFilters(model, temporary));
	}

	/** Makes what was saved last the best so far: the same file under a second name, or a copy where links cannot be. */
	async markBest(): Promise<void> {
		const last = this.file('last');
		await replace(this.file('best'), (temporary) => link(last, temporary).catch(() => copyFile(last, temporary)));
	}

	async close(): Promise<void> {
		await this.#metrics.close();
	}
}

/** Puts a file in the place of another at once: there is always either the old one or the new one. */
async function replace(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
	const temporary = `${path}.${process.pid}.tmp`;
	try {
		await write(temporary);
		await rename(temporary, path);
	} finally {
		// Renaming one name of a file to another name of the same file leaves both.
		await rm(temporary, {force: true});
	}
}

function codeOf(error: unknown): unknown {
	return error instanceof Error && 'code' in error ? error.code : undefined;
}

function unusable(path: string, error: unknown): AlexNetError {
	const reason = error instanceof Error ? error.message : String(error);
	return new AlexNetError('ALEXNET_RUN', `The run folder '${path}' cannot be used: ${reason}.`, {cause: error});
}
