import type {PictureSource} from '../lib/index.ts';
import {count} from './format.ts';
import type {Output} from './output.ts';

/** What has been found of some pictures. */
type Notable = Pick<PictureSource, 'unreadable' | 'suspect'>;

/** How many are named at a time. */
const mostNamed = 10;

/** Tells which pictures could not be read or are damaged, as they turn up: the first by name, the others by number. */
export class UnreadableNotes {
	readonly #output: Output;
	readonly #sources: readonly Notable[];
	readonly #told = new Set<string>();

	constructor(output: Output, sources: readonly Notable[]) {
		this.#output = output;
		this.#sources = sources;
	}

	/** Says nothing where nothing new has turned up. */
	tell(): void {
		this.#tell('could not be read and', 'left out', ({unreadable}) => unreadable);
		this.#tell('may show something else, being damaged, and', 'used (not with --strict)', ({suspect}) => suspect);
	}

	#tell(what: string, fate: string, part: (source: Notable) => ReadonlyMap<string, string> | undefined): void {
		const found = this.#sources.flatMap((source) => [...(part(source) ?? [])]);
		const fresh = found.filter(([path]) => !this.#told.has(path));
		if (fresh.length === 0) return;
		for (const [path] of fresh) this.#told.add(path);
		const rest = fresh.length - mostNamed;
		this.#output.note(
			[
				`${count(fresh.length, 'picture')} ${what} ${fresh.length === 1 ? 'is' : 'are'} ${fate}:`,
				...fresh.slice(0, mostNamed).map(([path, reason]) => `  ${path}: ${reason}`),
				...(rest > 0 ? [`  and ${count(rest, 'other')}`] : []),
			].join('\n'),
		);
	}
}
