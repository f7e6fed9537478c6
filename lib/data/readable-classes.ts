// Whether each class has a picture that can be read.
import {AlexNetError} from '../base/errors.ts';
import type {Picture} from './picture-reader.ts';

/**
 * @param unreadable path and reason, of at least all pictures of a class before the first that can be read
 * @throws ALEXNET_FOLDER where no picture of a class can be read: a net would learn that the class does not exist.
 */
export function requireReadableClasses(
	labels: readonly string[],
	pictures: readonly Picture[],
	unreadable: ReadonlyMap<string, string>,
): void {
	if (unreadable.size === 0) return; // As it mostly is, of perhaps millions.
	const readable = new Set(pictures.filter(({path}) => !unreadable.has(path)).map(({label}) => label));
	const first = pictures.find(({label}) => !readable.has(label));
	if (!first) return;
	const {length} = pictures.filter(({label}) => label === first.label);
	const which = length === 1 ? 'The one picture' : `None of the ${length} pictures`;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`${which} of class '${labels[first.label] ?? ''}' can${length === 1 ? 'not' : ''} be read; ` +
			`${length === 1 ? 'it' : 'the first'} is '${first.path}': ${unreadable.get(first.path) ?? ''}. ` +
			'Replace them with whole pictures, or remove the class.',
	);
}
