import type {Option} from 'commander';

/** A message of the library in the words of the command line, where `batchSize` is `--batch-size`. */
export function inOptionNames(message: string, options: readonly Option[]): string {
	return options.reduce((text, option) => {
		const name = option.attributeName();
		return text.replace(isUnmistakable(name) ? anywhere(name) : asSubject(name), option.long ?? name);
	}, message);
}

/** `batchSize`, where `seed` and `top` are words that may mean something else. */
function isUnmistakable(name: string): boolean {
	return /[A-Z]/.test(name);
}

/** Not where it is quoted, or a part of a path. */
function anywhere(name: string): RegExp {
	return new RegExp(`(?<![\\w'"/.-])${name}(?![\\w'"/-]|\\.\\w)`, 'g');
}

/** As lib/base/check.ts words it. The library takes `devices`, the command line `--device`. */
function asSubject(name: string): RegExp {
	return new RegExp(`^${name}s?(?=(\\[\\d+\\])? must be )`);
}
