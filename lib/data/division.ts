// Which pictures of a class are held out where no folder says so.
import {createHash} from 'node:crypto';
import type {ClassPictures} from './class-folders.ts';

/** At least one picture, never the last. */
function heldOutOf(pictures: number, fraction: number): number {
	const wanted = fraction > 0 ? Math.max(1, Math.round(pictures * fraction)) : 0;
	return Math.min(wanted, pictures - 1);
}

/** Draws the held-out pictures of each class: those whose hash of seed and path is smallest. */
export function divide(
	classes: readonly ClassPictures[],
	fraction: number,
	seed: number,
): readonly [ClassPictures[], ClassPictures[]] {
	const train: ClassPictures[] = [];
	const validation: ClassPictures[] = [];
	for (const pictures of classes) {
		const {label, paths} = pictures;
		const lot = (path: string): string =>
			createHash('sha256').update(`${seed}/${label}/${path}`.normalize('NFC')).digest('hex');
		const drawn = paths
			.map((path) => ({path, lot: lot(path)}))
			.sort((first, second) => (first.lot < second.lot ? -1 : 1))
			.slice(0, heldOutOf(paths.length, fraction));
		const heldOut = new Set(drawn.map(({path}) => path));
		train.push({...pictures, paths: paths.filter((path) => !heldOut.has(path))});
		validation.push({...pictures, paths: paths.filter((path) => heldOut.has(path))});
	}
	return [train, validation];
}
