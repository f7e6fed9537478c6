// The paper's figure 4, right: pictures, and those of the training pictures that are nearest to them in a layer's outputs.
import {callback, checked, integer, option, options, text} from '../base/check.ts';
import {anAlexNet, type AlexNet} from '../classifier.ts';
import {pictureSource, type PictureSource} from '../data/picture-source.ts';
import {drawGrid, pngPath} from '../features/grid.ts';
import {nearest} from '../features/nearest.ts';
import {predictionsFigureOptions, type PredictionsFigureOptions} from './predictions.ts';
import {batchesOf, shownPictures, together, type SeenPixels, type ShownPicture} from './shown-pictures.ts';

/** What `drawNeighbours` takes besides the model, the pictures and the path. */
export interface NeighboursFigureOptions extends PredictionsFigureOptions {
	/** Pictures to show, at most. Default 5. */
	count?: number | undefined;
	/** Training pictures to find for each. Default 6. */
	k?: number | undefined;
	/** The layer whose outputs are compared. Default 'fc7'. */
	layer?: string | undefined;
	/** Called as training pictures are looked at, with how many are and how many there are. */
	onProgress?: ((done: number, total: number) => void) | undefined;
}

const {checks} = predictionsFigureOptions;

export const neighboursFigureOptions = options<NeighboursFigureOptions>()({
	...checks,
	count: option(checks.count, 'pictures to show, at most', 5),
	k: option(integer(1), 'training pictures to find for each', 6),
	layer: option(text, 'the layer whose outputs are compared', 'fc7'),
	onProgress: callback(),
});

/** A picture of a figure, and those found for it. */
export interface ShownNeighbours extends ShownPicture {
	/** Nearest first; their places are those in the pictures searched. */
	readonly nearest: readonly (ShownPicture & {
		/** Euclidean, between the layer's outputs. */
		readonly distance: number;
	})[];
}

/** A picture that was looked at: what is kept of it. */
interface Candidate extends ShownPicture {
	readonly distance: number;
}

/**
 * Draws pictures, and to the right of each those of other pictures whose outputs of a layer have the smallest Euclidean
 * distance from its own: the paper's figure 4, right. Which pictures is a draw by seed, as in `drawPredictions`.
 * The outputs of all pictures searched are computed and none are kept.
 *
 * ```ts
 * await drawNeighbours(model, data.validation, data.train, 'neighbours.png');
 * ```
 *
 * @param source the pictures to show some of
 * @param searched among which others are found: those trained on
 * @param path ends in .png
 * @returns what it shows, row by row
 * @throws ALEXNET_ARGUMENT where there are no pictures or no such layer, and as `drawPredictions`.
 *                                                                                                     paper 6.1, figure 4
 */
export async function drawNeighbours(
	model: AlexNet,
	source: PictureSource,
	searched: PictureSource,
	path: string,
	options: NeighboursFigureOptions = {},
): Promise<ShownNeighbours[]> {
	checked('model', anAlexNet, model);
	checked('source', pictureSource, source);
	checked('searched', pictureSource, searched);
	checked('path', pngPath, path);
	const given = checked('drawNeighbours', neighboursFigureOptions, options);
	const {layer, crops, signal, k, onProgress} = given;
	const shown = await shownPictures(model, source, given);
	const outputs = await model.activations(together(shown), layer, {crops, signal});
	const width = outputs.length / shown.length;
	const vectors = shown.map((_, row) => outputs.subarray(row * width, (row + 1) * width));
	const found = shown.map((): readonly Candidate[] => []);
	const {batchSize} = model;
	let done = 0;
	const order = Array.from({length: searched.size}, (_, index) => index);
	for await (const batch of batchesOf(model, searched, {batchSize, order, signal})) {
		const values = await model.activations(together(batch), layer, {crops, signal});
		for (const [row, vector] of vectors.entries()) {
			const near = nearest(vector, values, k).flatMap(({place, distance}) => {
				const picture = batch[place];
				return picture ? [{index: picture.index, label: picture.label, path: picture.path, distance}] : [];
			});
			// Of equal ones the first stays first: sorting is stable.
			found[row] = [...(found[row] ?? []), ...near].sort((one, other) => one.distance - other.distance).slice(0, k);
		}
		done += batch.length;
		onProgress?.(done, searched.size);
	}
	const places = [...new Set(found.flat().map(({index}) => index))];
	const pixels = new Map<number, SeenPixels>();
	for await (const batch of batchesOf(model, searched, {batchSize, order: places, signal})) {
		for (const picture of batch) pixels.set(picture.index, picture);
	}
	await drawGrid(
		shown.map((picture, row) => ({
			picture: picture.pixels,
			others: (found[row] ?? []).flatMap(({index}) => pixels.get(index)?.pixels ?? []),
		})),
		path,
	);
	return shown.map(({index, label, path: file}, row) => ({index, label, path: file, nearest: found[row] ?? []}));
}
