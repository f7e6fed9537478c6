// Which pictures of a class are held out where no folder says so.
import {createHash} from 'node:crypto';
import {breather} from '../base/breather.ts';
import type {ClassPictures} from './class-folders.ts';
import {byCodeUnits} from './listing.ts';

/** At least one picture, never the last. */
function heldOutOf(pictures: number, fraction: number): number {
	const wanted = fraction > 0 ? Math.max(1, Math.round(pictures * fraction)) : 0;
	return Math.min(wanted, pictures - 1);
}

/**
 * A fraction that gives a run's division, from how many pictures of each class were trained on and held out; undefined
 * where none does.
 */
export function fractionOf(
	classes: readonly {readonly trained: number; readonly heldOut: number}[],
): number | undefined {
	let [least, below] = [0, 1];
	for (const {trained, heldOut} of classes) {
		const all = trained + heldOut;
		if (heldOut > 1) least = Math.max(least, (heldOut - 0.5) / all);
		if (heldOut > 0 && trained > 1) below = Math.min(below, (heldOut + 0.5) / all);
	}
	const isWhole = classes.every(({heldOut}) => heldOut === 0);
	const fraction = isWhole ? 0 : (least + below) / 2;
	return classes.every(
		({trained, heldOut}) => trained + heldOut === 0 || heldOutOf(trained + heldOut, fraction) === heldOut,
	)
		? fraction
		: undefined;
}

/**
 * Draws the held-out pictures of each class: those whose hash of seed and path is smallest, and of paths that differ in
 * Unicode form alone the first.
 */
export async function divide(
	classes: readonly ClassPictures[],
	fraction: number,
	seed: number,
): Promise<readonly [ClassPictures[], ClassPictures[]]> {
	const train: ClassPictures[] = [];
	const validation: ClassPictures[] = [];
	const breathe = breather();
	for (const pictures of classes) {
		const {label, paths} = pictures;
		const lots: {path: string; lot: string}[] = [];
		for (const path of paths) {
			const named = `${seed}/${label}/${path}`.normalize('NFC');
			lots.push({path, lot: createHash('sha256').update(named).digest('hex')});
			await breathe();
		}
		lots.sort((first, second) => byCodeUnits(first.lot, second.lot));
		const heldOut = new Set(lots.slice(0, heldOutOf(paths.length, fraction)).map(({path}) => path));
		train.push({...pictures, paths: paths.filter((path) => !heldOut.has(path))});
		validation.push({...pictures, paths: paths.filter((path) => heldOut.has(path))});
	}
	return [train, validation];
}
