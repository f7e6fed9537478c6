// kernels.json: conv1's kernels at a few steps of a run and their measures at more, so that columns are seen to specialise.
import {readFile, rm, writeFile} from 'node:fs/promises';
import {fields, integer, listOf, number, optional, checked, text} from '../base/check.ts';
import {replaceFile} from '../base/files.ts';
import {parseShallow} from '../base/json.ts';
import type {Model} from '../net/model.ts';
import {kernelPicture, type Kernels} from './kernels.ts';
import {measureKernels, type ColumnMeasures, type KernelMeasures} from './kernel-measures.ts';
import type {Point} from './metrics.ts';

/** How many snapshots keep their kernels, and how many the means of their columns: a file of at most 2 MB. */
const mostKernels = 32;
const mostMeans = 512;

/** conv1 after an epoch, or before the first. */
export interface KernelSnapshot {
	/** Updates made. */
	readonly step: number;
	/** Epochs that have ended. */
	readonly epoch: number;
	readonly columns: readonly ColumnMeasures[];
	/** At a few snapshots only, spread evenly over the run. */
	readonly kernels?: SnapshotKernels | undefined;
}

export interface SnapshotKernels {
	/** Side of a kernel, in pixels. */
	readonly size: number;
	/** [kernels, size, size, 3] in 0-255 as filters.png has them, in base64. */
	readonly pixels: string;
	readonly measures: readonly KernelMeasures[];
}

const share = optional(number(0));
const snapshots = listOf(
	fields<KernelSnapshot>({
		...{step: integer(0), epoch: integer(0)},
		columns: listOf(
			fields<ColumnMeasures>({column: integer(0), kernels: integer(0), colourEnergy: share, frequency: share}),
		),
		kernels: optional(
			fields<SnapshotKernels>({
				...{size: integer(1), pixels: text},
				measures: listOf(
					fields<KernelMeasures>({
						...{kernel: integer(0), column: integer(0)},
						...{colourEnergy: share, frequency: share, orientation: share},
					}),
				),
			}),
		),
	}),
);

/** What a run has kept; nothing where the file is missing or damaged, as nothing but a report depends on it. */
export async function readKernelHistory(path: string): Promise<readonly KernelSnapshot[]> {
	try {
		const {snapshots: found} = parseShallow(await readFile(path, 'utf8')) as {snapshots?: unknown};
		return checked('snapshots', snapshots, found);
	} catch {
		return [];
	}
}

/** A run's snapshots, in memory and in its file. */
export class KernelHistory {
	readonly #path: string;
	#snapshots: readonly KernelSnapshot[];

	private constructor(path: string, snapshots: readonly KernelSnapshot[]) {
		this.#path = path;
		this.#snapshots = snapshots;
	}

	/** Forgets what is later than `point`. */
	static async open(path: string, {step, epochs}: Point): Promise<KernelHistory> {
		const found = await readKernelHistory(path);
		const history = new KernelHistory(
			path,
			found.filter((each) => each.step <= step && each.epoch <= epochs),
		);
		const kept = history.#snapshots.length;
		if (kept === 0) await rm(path, {force: true});
		else if (kept < found.length) await history.#write();
		return history;
	}

	/** Adds the kernels of a model that is between two epochs. */
	async add({step, progress}: Model, kernels: Kernels): Promise<void> {
		const {columns, kernels: measures} = await measureKernels(kernels);
		const pictures = Array.from({length: kernels.count}, (_, kernel) => kernelPicture(kernels, kernel));
		const pixels = Buffer.concat(pictures).toString('base64');
		const added = {step, epoch: progress?.epochs ?? 0, columns, kernels: {size: kernels.size, pixels, measures}};
		this.#snapshots = thinned([...this.#snapshots.filter((each) => each.step < step), added]);
		await this.#write();
	}

	async #write(): Promise<void> {
		const text = `${JSON.stringify({snapshots: this.#snapshots})}\n`;
		await replaceFile(this.#path, (temporary) => writeFile(temporary, text));
	}
}

/**
 * What is kept depends on the epochs alone, so that a run that was killed and resumed keeps what one does that was not:
 * every epoch, every second, every fourth…, and always the last.
 */
export function thinned(history: readonly KernelSnapshot[]): readonly KernelSnapshot[] {
	const last = history.at(-1);
	if (!last) return history;
	const isKept = ({epoch}: KernelSnapshot, most: number): boolean => {
		let stride = 1;
		while (last.epoch / stride + 1 > most) stride *= 2;
		return epoch % stride === 0 || epoch === last.epoch;
	};
	return history
		.filter((each) => isKept(each, mostMeans))
		.map(({kernels, ...means}) => ({...means, ...(kernels && isKept(means, mostKernels) && {kernels})}));
}
