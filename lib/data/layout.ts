// Which of a folder's folders is trained on, and which is held out.
import {join} from 'node:path';
import {AlexNetError} from '../base/errors.ts';

export interface Layout {
	/** The folder that holds a folder for each class. */
	readonly train: string;
	/** The same for the pictures that are held out, where these have a folder of their own. */
	readonly heldOut?: string;
	/** What could have been meant otherwise, a sentence each. */
	readonly remarks: readonly string[];
}

/** What people call the parts, as {@link partName} has it. */
const trainNames = ['train', 'training'];
const validationNames = ['val', 'valid', 'validation'];
const otherNames = ['dev', 'eval', 'evaluation', 'holdout', 'heldout'];
const testNames = ['test', 'testing'];
export const heldOutNames: readonly string[] = [...validationNames, ...otherNames, ...testNames];

/** "Test_Set" and "held-out" are "test" and "heldout". */
const partName = (folder: string): string =>
	folder
		.toLowerCase()
		.replaceAll(/[\s_-]/g, '')
		.replace(/set$/, '');

/**
 * Reads the names of a folder's folders: train beside val, or else beside dev and its like, or else beside test, are
 * parts of classes, and so is train alone. Otherwise each folder is a class.
 *
 * @throws ALEXNET_FOLDER where two folders may be the same part.
 */
export function layoutOf(dir: string, folders: readonly string[]): Layout {
	const named = (names: readonly string[]): readonly string[] =>
		folders.filter((name) => names.includes(partName(name)));
	const trains = named(trainNames);
	const validations = named(validationNames);
	const heldOuts = [validations, named(otherNames), named(testNames)].find(({length}) => length > 0) ?? [];
	const others = folders.filter((name) => !trains.includes(name) && !heldOuts.includes(name));
	if (trains.length === 0 || (heldOuts.length === 0 && others.length > 0)) {
		return {train: dir, remarks: asClasses(named([...trainNames, ...heldOutNames]))};
	}
	const train = only(dir, trains, 'trained on');
	if (heldOuts.length === 0) return {train: join(dir, train), remarks: []};
	const heldOut = only(dir, heldOuts, 'held out');
	const reading = `'${train}' is trained on and '${heldOut}' is held out`;
	const remarks = [
		...(heldOuts !== validations ? [`${reading}. If they are classes, rename one.`] : []),
		...(others.length > 0 ? [`${listed(others)} ${others.length === 1 ? 'is' : 'are'} left out: ${reading}.`] : []),
	];
	return {train: join(dir, train), heldOut: join(dir, heldOut), remarks};
}

function asClasses(parts: readonly string[]): string[] {
	if (parts.length === 0) return [];
	const [are, they] = parts.length === 1 ? ['is a class', 'it is a part'] : ['are classes', 'they are parts'];
	return [`${listed(parts)} ${are} here. If ${they}, call the parts train and val.`];
}

function only(dir: string, names: readonly string[], part: string): string {
	const [name = '', ...others] = names;
	if (others.length === 0) return name;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`'${dir}' has folders ${listed(names)}; which of them is ${part} cannot be told. Rename or remove all but one.`,
	);
}

function listed(names: readonly string[]): string {
	return names.map((name) => `'${name}'`).join(' and ');
}
