// What the pictures of each class were taken for.

/** How well the pictures of one class were told. */
export interface ClassResult {
	/** The class's name, as the model has it. */
	label: string;
	/** Pictures of this class seen; 0 where the source has none. */
	pictures: number;
	/** How many of them were told right. */
	correct: number;
	/** The other class that most of them were taken for; undefined where all were told right. */
	takenFor?: {
		/** That class's name, as the model has it. */
		label: string;
		/** How many were taken for it. */
		pictures: number;
	};
}

/**
 * Counts what the pictures of each class were taken for. Of thousands of classes most pairs never occur, so the table is
 * laid out only for whoever asks for it: with 20,000 classes it takes 1.6 GB.
 */
export class Confusion {
	readonly #labels: readonly string[];
	/** For each class: class and number. */
	readonly #counts: readonly Map<number | undefined, number>[];
	#table: readonly Uint32Array[] | undefined;

	constructor(labels: readonly string[]) {
		this.#labels = labels;
		this.#counts = labels.map(() => new Map<number | undefined, number>());
	}

	/** @param told undefined where the net told no class, a probability being NaN */
	add(label: number, told: number | undefined): void {
		const counts = this.#counts[label];
		counts?.set(told, (counts.get(told) ?? 0) + 1);
	}

	/** [label][told], counts. */
	table(): readonly Uint32Array[] {
		return (this.#table ??= this.#counts.map((counts) => {
			const row = new Uint32Array(this.#labels.length);
			for (const [told, pictures] of counts) if (told !== undefined) row[told] = pictures;
			return row;
		}));
	}

	/** Those that there are, in order. */
	*pairs(): Generator<{label: number; told: number; pictures: number}, void, undefined> {
		for (const [label, counts] of this.#counts.entries()) {
			const known = [...counts].flatMap(([told, pictures]) => (told === undefined ? [] : [{label, told, pictures}]));
			yield* known.sort((a, b) => a.told - b.told);
		}
	}

	classes(): ClassResult[] {
		return this.#counts.map((counts, label) => {
			const others = [...counts].flatMap(([told, pictures]) => {
				return told === undefined || told === label ? [] : [{told, pictures}];
			});
			const [other] = others.sort((a, b) => b.pictures - a.pictures || a.told - b.told);
			return {
				label: this.#labels[label] ?? '',
				pictures: [...counts.values()].reduce((sum, number) => sum + number, 0),
				correct: counts.get(label) ?? 0,
				...(other && {takenFor: {label: this.#labels[other.told] ?? '', pictures: other.pictures}}),
			};
		});
	}
}
