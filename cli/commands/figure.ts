// The paper's figure 4, from a net of one's own. Its figure 3 is `alexnet filters`.
import {stat} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import type {Command} from 'commander';
import {option} from '../../lib/base/check.ts';
import {inFolderOf} from '../../lib/checkpoint/write-whole.ts';
import {pngPath} from '../../lib/features/grid.ts';
import {neighboursFigureOptions} from '../../lib/figures/neighbours.ts';
import {predictionsFigureOptions} from '../../lib/figures/predictions.ts';
import {figurePath} from '../../lib/figures/svg.ts';
import {AlexNet, AlexNetError, Dataset, drawNeighbours, drawPredictions, runFiles} from '../../lib/index.ts';
import type {ShownPicture} from '../../lib/index.ts';
import {percent} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {Output} from '../output.ts';
import {addOptions, inferenceChecks, inferenceFlags, inferring, type InferenceCommandOptions} from '../parse.ts';
import {openAsTrained} from '../run-pictures.ts';

interface FigureOptions extends InferenceCommandOptions {
	count: number;
	seed: number;
	crops: 1 | 10;
	out: string;
}

interface NeighboursOptions extends FigureOptions {
	k: number;
	layer: string;
}

const predictionsChecks = {
	...{...inferenceChecks, ...predictionsFigureOptions.checks},
	out: option(figurePath, 'the figure to write, .png or .svg', 'predictions.png'),
};
const neighboursChecks = {
	...{...inferenceChecks, ...neighboursFigureOptions.checks},
	out: option(pngPath, 'the figure to write', 'neighbours.png'),
};

const checkpointHelp = 'a run folder, or a checkpoint such as run/best.safetensors';
const folderHelp = "the pictures, laid out as for train; of the run's own folder those held out are shown";
const picturesHelp = 'files in it to show, in place of a draw';

export function addFigure(program: Command): void {
	const figure = program
		.command('figure')
		.summary("draw the paper's figure 4 from a trained net")
		.description("The paper's figure 4, from a net of yours. Its figure 3 is drawn by `alexnet filters`.");
	const predictions = figure
		.command('predictions')
		.summary('pictures with their five most probable labels')
		.description(
			'Draw pictures with their five most probable labels as bars, the right one in red. Which ones is a draw by seed ' +
				'from all that were held out, so that nobody chooses them by what the net says.',
		)
		.argument('<checkpoint>', checkpointHelp)
		.argument('<folder>', folderHelp)
		.argument('[pictures...]', picturesHelp);
	addOptions(predictions, predictionsChecks, '--count <number>', '--seed <number>', '--crops <number>');
	addOptions(predictions, predictionsChecks, '--out <picture>', ...inferenceFlags, '--json');
	predictions.action(async (checkpoint: string, folder: string, pictures: string[], options: FigureOptions) => {
		await draw(checkpoint, folder, pictures, options, async ({model, shown, places, output, signal}) => {
			const {count, seed, crops, out} = options;
			const found = await drawPredictions(model, shown, out, {count, seed, crops, places, signal});
			output.json({out, pictures: found});
			if (output.isJson) return;
			for (const {classes, ...picture} of found) {
				const told = classes.map(({label, probability}) => `  ${percent(probability).padStart(7)}  ${label}`);
				output.result([named(picture), ...told].join('\n'));
			}
		});
	});
	const neighbours = figure
		.command('neighbours')
		.summary('pictures, and the most similar ones that the net was trained on')
		.description(
			'Draw pictures, and beside each the training pictures whose outputs of a layer are nearest to its own. Which ones ' +
				'is a draw by seed from all that were held out. `alexnet nearest` finds those of any picture.',
		)
		.argument('<checkpoint>', checkpointHelp)
		.argument('<folder>', folderHelp)
		.argument('[pictures...]', picturesHelp);
	addOptions(neighbours, neighboursChecks, '--count <number>', '--seed <number>', '-k <number>', '--layer <name>');
	addOptions(neighbours, neighboursChecks, '--crops <number>', '--out <picture>', ...inferenceFlags, '--json');
	neighbours.action(async (checkpoint: string, folder: string, pictures: string[], options: NeighboursOptions) => {
		await draw(checkpoint, folder, pictures, options, async ({model, shown, train, places, output, signal}) => {
			const {count, seed, crops, out, k, layer} = options;
			const onProgress = (done: number, total: number): void => output.progress('comparing', done, total);
			const given = {count, seed, crops, places, signal, k, layer, onProgress};
			const found = await drawNeighbours(model, shown, train, out, given);
			output.clear();
			output.json({out, pictures: found});
			if (output.isJson) return;
			for (const {nearest, ...picture} of found) {
				const near = nearest.map((other) => `  ${other.distance.toFixed(3).padStart(9)}  ${named(other)}`);
				output.result([named(picture), ...near].join('\n'));
			}
		});
	});
}

const named = ({label, path}: ShownPicture): string => (path === undefined ? label : `${label}: ${path}`);

interface Drawing {
	readonly model: AlexNet;
	/** The pictures of which some are shown. */
	readonly shown: Dataset;
	readonly train: Dataset;
	/** Of those that were named. */
	readonly places: readonly number[] | undefined;
	readonly output: Output;
	readonly signal: AbortSignal;
}

async function draw(
	checkpoint: string,
	folder: string,
	pictures: readonly string[],
	options: FigureOptions,
	work: (drawing: Drawing) => Promise<void>,
): Promise<void> {
	const output = new Output(options);
	using interruptible = new Interruptible(() => output.note('Ending after the current batch.'));
	const {signal} = interruptible;
	await using model = await AlexNet.load(await checkpointIn(checkpoint), inferring(options));
	const {data, isOfRun} = await openAsTrained(folder, model, {}, {imageSize: model.architecture.imageSize});
	const {train, validation} = data;
	if (!isOfRun) output.note(`Nothing tells that the net was trained on '${folder}'; what is held out is a guess.`);
	if (validation.size === 0 && pictures.length === 0) {
		throw new AlexNetError('ALEXNET_FOLDER', `No picture of '${folder}' is held out. Name the pictures to show.`);
	}
	const shown = pictures.length === 0 ? validation : allOf(data);
	const places = pictures.length === 0 ? undefined : pictures.map((picture) => placeOf(shown, folder, picture));
	const learned = places?.filter((place) => place < train.size) ?? [];
	if (learned.length > 0) output.note(`${learned.length} of ${places?.length ?? 0} were trained on.`);
	await inFolderOf(options.out, async () => work({model, shown, train, places, output, signal}));
	if (!output.isJson) output.note(options.out);
}

/** @throws ALEXNET_RUN where a folder is no run's, or nothing is saved there yet. */
async function checkpointIn(path: string): Promise<string> {
	const isFolder = await stat(path).then(
		(found) => found.isDirectory(),
		() => false,
	);
	if (!isFolder) return path;
	for (const name of [runFiles.best, runFiles.last]) {
		const found = await stat(join(path, name)).catch(() => undefined);
		if (found) return join(path, name);
	}
	throw new AlexNetError('ALEXNET_RUN', `'${path}' holds neither ${runFiles.best} nor ${runFiles.last}.`);
}

/** Those trained on, then those held out. */
function allOf({train, validation}: {train: Dataset; validation: Dataset}): Dataset {
	const {labels, imageSize, decode} = train;
	return new Dataset({labels, pictures: [...train.pictures, ...validation.pictures], imageSize, decode});
}

function placeOf({pictures}: Dataset, folder: string, picture: string): number {
	const wanted = [resolve(picture), resolve(folder, picture)];
	const place = pictures.findIndex(({path}) => wanted.includes(resolve(path)));
	if (place >= 0) return place;
	throw new AlexNetError('ALEXNET_PICTURE', `'${picture}' is no picture of '${folder}'.`);
}
