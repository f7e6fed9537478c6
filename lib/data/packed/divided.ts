// Which prepared pictures are trained on and which are held out.
import {divide} from '../division.ts';
import type {PackedPicture, PackedPictures} from './packed-pictures.ts';

/** As the folder's parts say that they were made of, or else drawn as from that folder. */
export async function divided(
	packed: PackedPictures,
	fraction: number,
	seed: number,
): Promise<readonly [readonly PackedPicture[], readonly PackedPicture[]]> {
	const {parts, labels} = packed.index.header;
	const all = await packed.classesOf(0);
	if (parts.length > 1) return [all.flat(), (await packed.classesOf(1)).flat()];
	const classes = all.map((pictures, place) => {
		return {label: labels[place] ?? '', folder: '', paths: pictures.map(({name}) => name)};
	});
	const [, validation] = await divide(classes, fraction, seed);
	const heldOut = validation.map(({paths}) => new Set(paths));
	const isHeldOut = ({label, name}: PackedPicture): boolean => heldOut[label]?.has(name) === true;
	const pictures = all.flat();
	return [pictures.filter((picture) => !isHeldOut(picture)), pictures.filter(isHeldOut)];
}
