// metrics.jsonl: one JSON report a line, and after a crash no more and no less than belongs to the checkpoint.
import {open, type FileHandle} from 'node:fs/promises';
import {AlexNetError} from './errors.ts';
import {native} from './native.ts';
import type {EpochReport, TrainReport} from './trainer.ts';

/** How far a checkpoint is. */
export interface Point {
	/** Updates made. */
	step: number;
	/** Epochs that have ended. */
	epochs: number;
}

/** The reports of a run, in a file that grows. It is locked while it is open: by that a run is known to be under way. */
export class Metrics {
	readonly #file: FileHandle;

	private constructor(file: FileHandle) {
		this.#file = file;
	}

	/** @throws ALEXNET_RUN where the run is under way, in this process or another. */
	static async open(path: string): Promise<Metrics> {
		const file = await open(path, 'a+');
		if (native.lockFile(file.fd)) return new Metrics(file);
		await file.close();
		const message =
			`The run is still under way: another process writes to ${path}. Wait for its end, or end it (Ctrl-C in its ` +
			'terminal saves it), and go on then.';
		throw new AlexNetError('ALEXNET_RUN', message);
	}

	/** Cuts the file after the reports up to `point`. Returns those of epochs among them. */
	async cut(point: Point): Promise<EpochReport[]> {
		const {bytes, epochs} = await reportsUpTo(this.#file, point);
		await this.#file.truncate(bytes);
		return epochs;
	}

	/** Appends a line. It has left the process when the promise resolves. */
	async record(report: TrainReport): Promise<void> {
		await this.#file.appendFile(`${JSON.stringify(report)}\n`);
	}

	/** Resolves when all lines would survive a power cut. */
	async sync(): Promise<void> {
		await this.#file.sync();
	}

	async close(): Promise<void> {
		await this.#file.close();
	}
}

async function reportsUpTo(file: FileHandle, point: Point): Promise<{bytes: number; epochs: EpochReport[]}> {
	const epochs: EpochReport[] = [];
	let bytes = 0;
	const {size} = await file.stat();
	for await (const line of file.readLines({start: 0, autoClose: false})) {
		const report = parse(line);
		const end = bytes + Buffer.byteLength(line) + 1;
		// A line without its end was being written when the process was killed.
		if (!report || end > size || isLater(report, point)) break;
		bytes = end;
		if (report.type === 'epoch') epochs.push(report);
	}
	return {bytes, epochs};
}

function isLater(report: TrainReport, {step, epochs}: Point): boolean {
	return report.type === 'step' ? report.step > step : report.epoch > epochs;
}

/** Undefined for what is no report. */
function parse(line: string): TrainReport | undefined {
	try {
		const value: unknown = JSON.parse(line);
		return isReport(value) ? value : undefined;
	} catch {
		return undefined;
	}
}

function isReport(value: unknown): value is TrainReport {
	return typeof value === 'object' && value !== null && 'type' in value && 'step' in value;
}
