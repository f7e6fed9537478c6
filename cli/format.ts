// How numbers read.

export function percent(share: number): string {
	return `${(share * 100).toFixed(1)} %`;
}

/** "top-1 95.0 %, the largest class alone is 95.0 %": a net that has learned nothing can be right that often. */
export function accuracy(
	{top1, top5, largestShare}: {top1: number; top5: number; largestShare?: number},
	shown: {top5: boolean},
): string {
	return [
		`top-1 ${percent(top1)}`,
		...(shown.top5 ? [`top-5 ${percent(top5)}`] : []),
		...(largestShare === undefined ? [] : [`the largest class alone is ${percent(largestShare)}`]),
	].join(', ');
}

/** "42 s", "12 min", "3 h 20 min": as exact as an estimate is. */
export function duration(seconds: number): string {
	if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
	const minutes = Math.round(seconds / 60);
	if (minutes < 60) return `${minutes} min`;
	return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1 picture", "3,162 pictures". */
export function count(number: number, singular: string, plural = `${singular}s`): string {
	return `${number.toLocaleString('en-US')} ${number === 1 ? singular : plural}`;
}

/** "1.5", "98": as many digits as a reader wants of a rate. */
export function rate(perSecond: number): string {
	return perSecond.toFixed(perSecond < 10 ? 1 : 0);
}

/** "0.005", "0.0141421": a learning rate, without the last digits of a product. */
export function learningRateOf(rate: number): string {
	return String(Number(rate.toPrecision(6)));
}

/** "15.3 GiB" */
export function gibibytes(bytes: number): string {
	return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** Columns padded to their widest cell; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
	const lines = [header, ...rows];
	const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
	const isNumeric = header.map((_, column) => rows.every((row) => /^[\d.,]+( %)?$/.test(row[column] ?? '')));
	const pad = (cell: string, column: number): string =>
		isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
	return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}
