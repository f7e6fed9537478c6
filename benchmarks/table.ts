// Rows as tables for people: a header, then a line for each row.
import type {Clocks} from './clocks.ts';
import type {ModelledRow} from './modelled.ts';
import type {BenchmarkRow} from './rows.ts';

export interface Table {
	header: string[];
	cells: string[][];
}

const digits = (value: number): string => value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1);
const rate = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
/** Of what is not known. */
const told = <T>(value: T | undefined, tell: (value: T) => string): string => (value === undefined ? '-' : tell(value));

export function benchmarkTable(rows: readonly BenchmarkRow[]): Table {
	const isGpu = rows.some(({device}) => device.startsWith('cuda'));
	const forGpus = isGpu ? ['modelled ms', 'measured / modelled', 'MHz'] : [];
	return {
		header: ['trial', 'batch', 'median ms', 'spread ms', 'images/s', 'bound ms', 'by', 'share of bound', ...forGpus],
		cells: rows.map((row) => [
			row.trial,
			String(row.batchSize),
			digits(row.medianMs),
			digits(row.spreadMs),
			rate(row.imagesPerSecond),
			told(row.boundMs, digits),
			row.boundBy ?? '-',
			told(row.shareOfBound, percent),
			...(isGpu
				? [told(row.modelledMs, digits), told(row.timesModelled, (times) => times.toFixed(2)), tellClocks(row.clocks)]
				: []),
		]),
	};
}

function tellClocks(clocks: Clocks | undefined): string {
	if (clocks?.processor === undefined) return '-';
	return clocks.processorAtMost === undefined
		? String(clocks.processor)
		: `${clocks.processor} of ${clocks.processorAtMost}`;
}

/** What the bounds are made of, what the device's own copies and products reach, and what is not known. */
export function describeMachine(rows: readonly BenchmarkRow[]): string[] {
	const [first] = rows;
	if (!first) return [];
	const {device, precision, bandwidthGigabytesPerSecond, peakGigaflops} = first;
	const reached = `${bandwidthGigabytesPerSecond.toFixed(1)} GB/s, ${peakGigaflops.toFixed(0)} GFLOP/s in ${precision}`;
	const sources = [...new Set(rows.flatMap(({boundFrom}) => boundFrom ?? []))];
	const isGpu = device.startsWith('cuda');
	const unknown = rows.find(({clocks}) => clocks?.unknown !== undefined)?.clocks?.unknown;
	return [
		`${device} at its best by its own copies and products, measured in this run: ${reached}.`,
		...(isGpu && sources.length > 0 ? [`Bounds by ${sources.join(', ')}.`] : []),
		...(isGpu && sources.length === 0 ? [`No bounds: benchmarks/gpus.ts has no data sheet of this board.`] : []),
		...(unknown === undefined ? [] : [`No clocks: ${unknown}`]),
	];
}

export function modelledTable(rows: readonly ModelledRow[]): Table {
	return {
		header: ['trial', 'batch', 'modelled ms', 'by', 'images/s', 'bound ms', 'by', 'share of bound'],
		cells: rows.map((row) => [
			row.trial,
			String(row.batchSize),
			digits(row.modelledMs),
			row.modelledBy,
			rate(row.imagesPerSecond),
			digits(row.boundMs),
			row.boundBy,
			percent(row.shareOfBound),
		]),
	};
}
