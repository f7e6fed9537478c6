import type {PictureSource} from '../index.ts';
import {count} from './format.ts';
import type {Output} from './output.ts';

/** How many are named at a time. */
const mostNamed = 10;

/** Tells which pictures could not be read, as they turn up: the first by name, the others by number. */
export class UnreadableNotes {
	readonly #output: Output;
	readonly #sources: readonly PictureSource[];
	readonly #told = new Set<string>();

	constructor(output: Output, sources: readonly PictureSource[]) {
		this.#output = output;
		this.#sources = sources;
	}

	/** Says nothing where nothing new has turned up. */
	tell(): void {
		const found = this.#sources.flatMap(({unreadable}) => [...(unreadable ?? [])]);
		const fresh = found.filter(([path]) => !this.#told.has(path));
		if (fresh.length === 0) return;
		for (const [path] of fresh) this.#told.add(path);
		const rest = fresh.length - mostNamed;
		this.#output.note(
			[
				`${count(fresh.length, 'picture')} could not be read and ${fresh.length === 1 ? 'is' : 'are'} left out:`,
				...fresh.slice(0, mostNamed).map(([path, reason]) => `  ${path}: ${reason}`),
				...(rest > 0 ? [`  and ${count(rest, 'other')}`] : []),
			].join('\n'),
		);
	}
}
