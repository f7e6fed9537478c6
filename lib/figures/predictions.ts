// The paper's figure 4, left: pictures, and the five labels that the net finds most probable.
import {checked, instanceOf, integer, listOf, option, options} from '../base/check.ts';
import {seed} from '../base/random.ts';
import {anAlexNet, type AlexNet, type Classification} from '../classifier.ts';
import {crops, type CropsOption} from '../data/views.ts';
import {pictureSource, type PictureSource} from '../data/picture-source.ts';
import {best} from '../training/ranking.ts';
import {shownPictures, together, type SeenPixels, type ShownPicture} from './shown-pictures.ts';
import {escaped, figurePath, pictureAt, writeFigure} from './svg.ts';

/** What `drawPredictions` takes besides the model, the pictures and the path. */
export interface PredictionsFigureOptions extends CropsOption {
	/** Pictures to show, at most. Default 8. */
	count?: number | undefined;
	/** Decides which pictures are shown. Default 0. */
	seed?: number | undefined;
	/** Places in the source of the pictures to show, in place of a draw. */
	places?: readonly number[] | undefined;
	/** Rejects with the signal's reason. */
	signal?: AbortSignal | undefined;
}

export const predictionsFigureOptions = options<PredictionsFigureOptions>()({
	count: option(integer(1), 'pictures to show, at most', 8),
	seed: seed('decides which pictures are shown'),
	places: option(listOf(integer(0)), 'places in the source of the pictures to show, in place of a draw'),
	signal: instanceOf(AbortSignal),
	crops,
});

/** A picture of a figure, and what the net says of it. */
export interface ShownPrediction extends ShownPicture {
	/** Up to five, best first. */
	readonly classes: readonly Classification[];
}

/** So many labels are told of a picture. */
const told = 5;
/** In pixels. */
const [side, gap, perRow] = [176, 24, 4];
const [nameHeight, barHeight, barGap] = [26, 18, 3];
const cellHeight = side + nameHeight + told * (barHeight + barGap);
const colours = {right: '#f28e8e', other: '#a9c9e8'};

/**
 * Draws pictures with their five most probable labels as bars, the right one in red: the paper's figure 4, left. Which
 * pictures is a draw by seed from all of the source, or what `places` names; nobody chooses them by what the net says.
 *
 * ```ts
 * await drawPredictions(model, data.validation, 'predictions.png');
 * ```
 *
 * @param path ends in .png or .svg
 * @returns what it shows, picture by picture
 * @throws ALEXNET_ARGUMENT where there are no pictures, or no font is installed for a PNG; ALEXNET_LABEL where the model
 * does not know a class of the source; ALEXNET_PICTURE where a named picture cannot be read; ALEXNET_CHECKPOINT where the
 * figure cannot be written.                                                                          paper 6.1, figure 4
 */
export async function drawPredictions(
	model: AlexNet,
	source: PictureSource,
	path: string,
	options: PredictionsFigureOptions = {},
): Promise<ShownPrediction[]> {
	checked('model', anAlexNet, model);
	checked('source', pictureSource, source);
	checked('path', figurePath, path);
	const {crops, ...draw} = checked('drawPredictions', predictionsFigureOptions, options);
	const {signal} = draw;
	const pictures = await shownPictures(model, source, draw);
	const probabilities = await model.predict(together(pictures), {crops, signal});
	const shown = pictures.map((picture, row) => {
		const own = probabilities.subarray(row * model.classes, (row + 1) * model.classes);
		const classes = best(own, told).map((index): Classification => {
			return {label: model.labels[index] ?? '', index, probability: own[index] ?? NaN};
		});
		return {picture, classes};
	});
	const cells = shown.map(({picture, classes}, place) =>
		cell(picture, classes, {
			x: gap + (place % perRow) * (side + gap),
			y: gap + Math.floor(place / perRow) * (cellHeight + gap),
		}),
	);
	await writeFigure(path, {
		width: gap + Math.min(perRow, shown.length) * (side + gap),
		height: gap + Math.ceil(shown.length / perRow) * (cellHeight + gap),
		parts: (await Promise.all(cells)).flat(),
	});
	return shown.map(({picture: {index, label, path: file}, classes}) => ({index, label, path: file, classes}));
}

async function cell(
	picture: SeenPixels,
	classes: readonly Classification[],
	{x, y}: {x: number; y: number},
): Promise<string[]> {
	const bars = classes.map((each, rank) =>
		bar(each, each.label === picture.label, {x, y: y + side + nameHeight + rank * (barHeight + barGap)}),
	);
	const name = `<text x="${side / 2}" y="18" font-size="14" font-weight="bold" text-anchor="middle">${escaped(picture.label)}</text>`;
	return [await pictureAt(picture, {x, y, side}), clipped({x, y: y + side, height: nameHeight}, name), ...bars];
}

function bar({label, probability}: Classification, isRight: boolean, {x, y}: {x: number; y: number}): string {
	const width = Math.round(side * (probability || 0) * 10) / 10;
	const share = `${(100 * probability).toFixed(1)} %`;
	const baseline = barHeight - 5;
	return clipped(
		{x, y, height: barHeight},
		`<rect width="${width}" height="${barHeight}" fill="${isRight ? colours.right : colours.other}"/>` +
			`<svg width="${side - 54}" height="${barHeight}"><text x="4" y="${baseline}" font-size="12">${escaped(label)}</text></svg>` +
			`<text x="${side - 3}" y="${baseline}" font-size="11" text-anchor="end">${share}</text>`,
	);
}

/** A name may be longer than there is room. */
function clipped({x, y, height}: {x: number; y: number; height: number}, content: string): string {
	return `<svg x="${x}" y="${y}" width="${side}" height="${height}">${content}</svg>`;
}
