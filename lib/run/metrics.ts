// metrics.jsonl: one JSON report a line, and after a crash no more and no less than belongs to the checkpoint.
import {open, type FileHandle} from 'node:fs/promises';
import {byType, checked, fields, finite, flag, integer, number, oneOf, optional} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {codeOf} from '../base/files.ts';
import {parseShallow} from '../base/json.ts';
import {native} from '../device/native.ts';
import type {EpochReport, TrainReport} from '../training/trainer.ts';

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
	readonly #opened = performance.now();
	/** Of the run's former lives. */
	#secondsBefore = 0;

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

	/** Cuts the file after the reports up to `point`. Returns those of epochs among them. Time goes on from the last. */
	async cut(point: Point): Promise<EpochReport[]> {
		const {bytes, epochs, seconds} = await reportsUpTo(this.#file, point);
		await this.#file.truncate(bytes);
		this.#secondsBefore = seconds;
		return epochs;
	}

	/**
	 * Appends and returns a line: the report, and for how many seconds the run has been under way in all of its lives. It
	 * has left the process when the promise resolves.
	 */
	async record(report: TrainReport): Promise<RecordedReport> {
		const recorded = {...report, elapsedSeconds: this.#secondsBefore + (performance.now() - this.#opened) / 1000};
		await this.#file.appendFile(`${JSON.stringify(recorded)}\n`);
		return recorded;
	}

	/** Resolves when all lines would survive a power cut. */
	async sync(): Promise<void> {
		await this.#file.sync();
	}

	async close(): Promise<void> {
		await this.#file.close();
	}
}

/** The reports in a file that may still grow; none where it is missing. What is no report is skipped. */
export async function* reportsIn(path: string): AsyncGenerator<RecordedReport> {
	const file = await open(path).catch((error: unknown) => {
		if (codeOf(error) === 'ENOENT') return undefined;
		throw error;
	});
	if (!file) return;
	try {
		for await (const {line} of wholeLines(file)) {
			const report = parse(line);
			if (report) yield {...report, elapsedSeconds: report.elapsedSeconds ?? NaN};
		}
	} finally {
		await file.close();
	}
}

async function reportsUpTo(
	file: FileHandle,
	point: Point,
): Promise<{bytes: number; epochs: EpochReport[]; seconds: number}> {
	const found = {bytes: 0, epochs: [] as EpochReport[], seconds: 0};
	for await (const {line, end} of wholeLines(file)) {
		const report = parse(line);
		if (!report) continue;
		if (isLater(report, point)) break;
		found.bytes = end;
		found.seconds = report.elapsedSeconds ?? found.seconds;
		if (report.type === 'epoch') found.epochs.push(report);
	}
	return found;
}

/** Many times as many bytes as any report has. */
const longestLine = 2 ** 20;

/** A line without its end was being written when the process was killed: it is none, and a longer one is none either. */
async function* wholeLines(file: FileHandle): AsyncGenerator<{line: string; end: number}> {
	const chunk = Buffer.alloc(2 ** 16);
	let rest = Buffer.alloc(0);
	let end = 0;
	let isTooLong = false;
	for (;;) {
		const {bytesRead} = await file.read(chunk, 0, chunk.length, end + rest.length);
		if (bytesRead === 0) return;
		rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
		for (let length = rest.indexOf('\n') + 1; length > 0; length = rest.indexOf('\n') + 1) {
			end += length;
			if (!isTooLong) yield {line: rest.toString('utf8', 0, length - 1), end};
			isTooLong = false;
			rest = rest.subarray(length);
		}
		if (rest.length <= longestLine) continue;
		isTooLong = true;
		end += rest.length;
		rest = Buffer.alloc(0);
	}
}

function isLater(report: TrainReport, {step, epochs}: Point): boolean {
	return report.type === 'step' ? report.step > step : report.epoch > epochs;
}

/** A line. Those of earlier versions do not tell the time. */
export type RecordedReport = TrainReport & {
	/** Seconds for which the run has been under way, in all of its lives. */
	elapsedSeconds: number;
};

/** Of a line, what a resumed run goes on with. */
type Resumed =
	| {type: 'step'; step: number; elapsedSeconds?: number}
	| {
			type: 'epoch';
			epoch: number;
			loss: number;
			best: boolean;
			validation?: {pictures: number; top1: number};
			elapsedSeconds?: number;
	  };

const elapsedSeconds = optional(number(0));
const resumed = byType<Resumed>({
	step: fields<Extract<Resumed, {type: 'step'}>>({type: oneOf(['step']), step: integer(1), elapsedSeconds}),
	epoch: fields<Extract<Resumed, {type: 'epoch'}>>({
		...{type: oneOf(['epoch']), epoch: integer(1), loss: finite, best: flag, elapsedSeconds},
		validation: optional(fields<{pictures: number; top1: number}>({pictures: integer(1), top1: number(0)})),
	}),
});

/** Undefined for what is no report. */
function parse(line: string): (TrainReport & Partial<RecordedReport>) | undefined {
	try {
		const value = parseShallow(line);
		checked('the report', resumed, value);
		return value as TrainReport;
	} catch {
		return undefined;
	}
}
