// JSON from files that anybody may have written.

/** Twice as many as any file of ours has. */
const mostLevels = 12;

/**
 * What JSON says. A few megabytes of opening brackets would take gigabytes: they are refused before.
 *
 * @throws SyntaxError for what is no JSON, or is nested too deeply.
 */
export function parseShallow(text: string): unknown {
	let level = 0;
	let isString = false;
	for (let at = 0; at < text.length; ++at) {
		const character = text[at];
		if (isString && character === '\\') ++at;
		else if (character === '"') isString = !isString;
		else if (isString) continue;
		else if (character === ']' || character === '}') --level;
		else if ((character === '[' || character === '{') && ++level > mostLevels) {
			throw new SyntaxError(`JSON is nested deeper than ${mostLevels} levels`);
		}
	}
	return JSON.parse(text);
}
