// What a network is made of, as plain data: it is written into every checkpoint and rebuilds the net from there.
import {fields, integer, listOf, oneOf, where, type Check} from '../base/check.ts';
import {kindOf, layerCheck, type LayerSpec} from './layers/registry.ts';

/** A network as plain data: what `model.architecture` tells and a checkpoint holds. */
export interface Architecture {
	/** Pictures come as imageSize x imageSize x 3. */
	readonly imageSize: number;
	/** The net sees crop x crop of them. */
	readonly crop: number;
	/** How many columns share the channels; each may be on a device of its own (paper 3.2). */
	readonly columns: 1 | 2;
	/** The last one is linear and has an output for each class. */
	readonly layers: readonly LayerSpec[];
}

/** Outputs of the last layer. */
export function classesOf({layers}: Pick<Architecture, 'layers'>): number {
	const last = layers.at(-1);
	return last?.type === 'linear' ? last.outputs : 0;
}

/** More than any net of this package has; each takes time and memory to look at. */
const mostLayers = 100;

/** What reads pixels comes before the first linear layer, which takes them as features. */
function isInOrder(layers: readonly LayerSpec[]): boolean {
	const first = layers.findIndex(({type}) => type === 'linear');
	return first >= 0 && !layers.slice(first).some((spec) => kindOf(spec).readsPixels);
}

const layers: Check<readonly LayerSpec[]> = where(
	where(listOf(layerCheck, mostLayers), isInOrder, 'layers that read pictures, followed by linear ones'),
	(all) => all.at(-1)?.type === 'linear' && new Set(all.map((spec) => spec.name)).size === all.length,
	'layers with a name each, the last one linear',
);

/** What an architecture from a file must be. What its layers need of each other, the layers themselves say. */
export const architectureCheck: Check<Architecture> = where(
	fields<Architecture>({imageSize: integer(1), crop: integer(1), columns: oneOf([1, 2]), layers}),
	({imageSize, crop}) => crop <= imageSize,
	'a net whose crop is no larger than its pictures',
);
