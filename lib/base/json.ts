// JSON from files that anybody may have written.

const mostCharacters = 2 ** 24;
/** Twice as many as any file of ours has. */
const mostLevels = 12;
/** Of lists, objects and all that is in them: a checkpoint of fifty thousand classes has fewer. */
const mostValues = 2 ** 19;
/** Of fields: a new name takes a parser as long as many that it knows. */
const mostNames = 2 ** 14;

/** What JSON says, as {@link JsonReader} reads it. */
export function parseShallow(text: string): unknown {
	return new JsonReader().parse(text);
}

/**
 * Reads texts that are bounded together. A few megabytes of opening brackets would take gigabytes, and millions of
 * fields seconds in which the event loop does not turn: they are refused before.
 */
export class JsonReader {
	#values = 0;
	readonly #names = new Set<string>();

	/** @throws SyntaxError for what is no JSON, is too long or nested too deeply, or has too many values or names. */
	parse(text: string): unknown {
		this.requireBounded(text);
		return JSON.parse(text);
	}

	/** @throws SyntaxError as `parse` does, but for what is no JSON. */
	requireBounded(text: string): void {
		if (text.length > mostCharacters) throw new SyntaxError(`JSON has more than ${mostCharacters} characters`);
		let level = 0;
		let isString = false;
		let [begin, end] = [0, 0]; // of the last string
		for (let at = 0; at < text.length; ++at) {
			const character = text[at];
			if (isString && character === '\\') ++at;
			else if (character === '"') {
				isString = !isString;
				if (isString) begin = at;
				else end = at;
			} else if (isString) continue;
			else if (character === ':') this.#countName(text.slice(begin, end));
			else if (character === ',') this.#countValue();
			else if (character === '[' || character === '{') {
				if (++level > mostLevels) throw new SyntaxError(`JSON is nested deeper than ${mostLevels} levels`);
				this.#countValue();
			} else if (character === ']' || character === '}') --level;
		}
	}

	#countValue(): void {
		if (++this.#values > mostValues) throw new SyntaxError(`JSON has more than ${mostValues} values`);
	}

	#countName(name: string): void {
		if (this.#names.add(name).size > mostNames) {
			throw new SyntaxError(`JSON has fields of more than ${mostNames} names`);
		}
	}
}
