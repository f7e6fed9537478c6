import type {Option} from 'commander';
import {otherMemory, smallerBatch} from '../lib/device/memory.ts';

/**
 * A message of the library in the words of the command line, where `batchSize` is `--batch-size`, and advises nothing that
 * the command has no option for.
 */
export function inOptionNames(message: string, options: readonly Option[]): string {
	const names = options.map((option) => [option.attributeName(), option.long ?? option.attributeName()] as const);
	const possible = names.some(([name]) => name === 'batchSize') ? message : message.replace(smallerBatch, otherMemory);
	return names.reduce((text, [name, typed]) => {
		return text.replace(isUnmistakable(name) ? anywhere(name) : asSubject(name), typed);
	}, possible);
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
