import type {BenchmarkRow} from './run.ts';

/** Cells of a table for people: a header, then a line for each row. */
export function benchmarkTable(rows: readonly BenchmarkRow[]): {header: string[]; cells: string[][]} {
	const digits = (value: number): string => value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1);
	return {
		header: ['trial', 'median ms', 'spread ms', 'images/s', 'bound ms', 'by', 'share of bound'],
		cells: rows.map((row) => [
			row.trial,
			digits(row.medianMs),
			digits(row.spreadMs),
			row.imagesPerSecond.toFixed(row.imagesPerSecond < 100 ? 1 : 0),
			digits(row.boundMs),
			row.boundBy,
			`${(row.shareOfBound * 100).toFixed(1)} %`,
		]),
	};
}

/** What the bounds are made of. */
export function describeMachine({device, precision, bandwidthGigabytesPerSecond, peakGigaflops}: BenchmarkRow): string {
	return (
		`${device} at its best, measured in this run: ${bandwidthGigabytesPerSecond.toFixed(1)} GB/s, ` +
		`${peakGigaflops.toFixed(0)} GFLOP/s in ${precision}.`
	);
}
