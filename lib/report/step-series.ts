import type {StepColumn, StepColumns, StepRow} from './report-data.ts';

/** Rows at most: more than a screen has pixels across. */
const mostRows = 2000;

const columns: readonly StepColumn[] = [
	...(['step', 'epoch', 'seconds', 'loss', 'top1', 'learningRate', 'imagesPerSecond'] as const),
];
/** Of several steps, these are the means; the others are the last one's. */
const averaged: readonly StepColumn[] = ['loss', 'top1', 'imagesPerSecond'];

/** The steps of a run of any length, in few rows: where there are too many, two at a time become one. */
export class StepSeries {
	#every = 1;
	#rows: StepRow[] = [];
	/** Steps that do not fill a row yet. */
	#rest: StepRow[] = [];

	add(step: StepRow): void {
		this.#rest.push(step);
		if (this.#rest.length < this.#every) return;
		this.#rows.push(merged(this.#rest));
		this.#rest = [];
		if (this.#rows.length < mostRows) return;
		this.#every *= 2;
		this.#rows = Array.from({length: mostRows / 2}, (_, pair) => merged(this.#rows.slice(2 * pair, 2 * pair + 2)));
	}

	get columns(): StepColumns {
		const rows = this.#rest.length > 0 ? [...this.#rows, merged(this.#rest)] : this.#rows;
		const each = columns.map((name) => [name, rows.map((row) => row[name])] as const);
		return {every: this.#every, ...(Object.fromEntries(each) as Record<StepColumn, number[]>)};
	}
}

function merged([first, ...others]: readonly StepRow[]): StepRow {
	if (!first) throw new RangeError('There is nothing to merge.');
	const last = others.at(-1) ?? first;
	const means = averaged.map((name) => {
		return [name, others.reduce((sum, row) => sum + row[name], first[name]) / (others.length + 1)] as const;
	});
	return {...last, ...(Object.fromEntries(means) as Partial<StepRow>)};
}
