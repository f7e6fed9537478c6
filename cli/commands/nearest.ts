import {join} from 'node:path';
import type {Command} from 'commander';
import {filePath, integer, option} from '../../lib/base/check.ts';
import {inFolderOf} from '../../lib/checkpoint/write-whole.ts';
import {listPictures} from '../../lib/data/picture-list.ts';
import {readFeatures, type Features} from '../../lib/features/features-file.ts';
import {drawGrid, pngPath, type GridRow} from '../../lib/features/grid.ts';
import {nearest} from '../../lib/features/nearest.ts';
import {AlexNet, AlexNetError} from '../../lib/index.ts';
import {exitCodes} from '../exit-codes.ts';
import {Output} from '../output.ts';
import {addOptions, inferenceChecks, inferenceFlags, inferring, type InferenceCommandOptions} from '../parse.ts';

interface NearestCommandOptions extends InferenceCommandOptions {
	k: number;
	out?: string;
	checkpoint?: string;
	folder?: string;
}

const checks = {
	...inferenceChecks,
	k: option(integer(1), 'similar pictures to find', 6),
	out: option(pngPath, 'draw them beside the picture, in this PNG'),
	checkpoint: option(filePath, "the net that the features are of; left out, as the features' file says"),
	folder: option(filePath, "the folder that the features are of; left out, as the features' file says"),
};

/** A picture, and those most like it, nearest first. */
interface Found {
	readonly picture: string;
	/** `name`: as in the file of features, the picture's path in their folder. */
	readonly nearest: readonly {readonly picture: string; readonly name: string; readonly distance: number}[];
}

export function addNearest(program: Command): void {
	const command = program
		.command('nearest')
		.summary('find the pictures most similar to others')
		.description(
			"Find the pictures whose feature vectors have the smallest Euclidean distance to those of others: the paper's " +
				'figure 4.',
		)
		.argument('<features>', 'what `alexnet features` has written, .safetensors')
		.argument('<pictures...>', 'JPEG, PNG, WebP, GIF or TIFF files');
	addOptions(command, checks, '-k <number>', '--out <picture>', '--checkpoint <file>', '--folder <folder>');
	addOptions(command, checks, ...inferenceFlags, '--json');
	command.action(async (path: string, pictures: string[], options: NearestCommandOptions) => {
		const output = new Output(options);
		const known = await readFeatures(path);
		const {folder = known.folder, out} = options;
		const found: Found[] = [];
		for await (const {picture, nearest, error} of search(path, {...known, folder}, pictures, options)) {
			if (nearest) {
				found.push({picture, nearest});
				if (!output.isJson) output.result(inWords({picture, nearest}));
			} else {
				output.note(`error: ${error.message} (${error.code})`);
				process.exitCode = exitCodes.failed;
			}
		}
		output.json(found);
		if (out === undefined || found.length === 0) return;
		const {input} = await listPictures(folder);
		await inFolderOf(out, async () => {
			const rows = found.map(async ({picture, nearest}): Promise<GridRow> => {
				return {picture, others: await Promise.all(nearest.map(({name}) => input(name)))};
			});
			await drawGrid(await Promise.all(rows), out);
		});
	});
}

type Searched =
	| (Found & {readonly error?: undefined})
	| {readonly picture: string; readonly nearest?: undefined; readonly error: AlexNetError};

async function* search(
	path: string,
	known: Features,
	pictures: readonly string[],
	options: NearestCommandOptions,
): AsyncGenerator<Searched> {
	const {k, checkpoint = known.checkpoint} = options;
	const batchSize = Math.min(pictures.length, options.batchSize);
	await using model = await AlexNet.load(checkpoint, inferring({...options, batchSize}));
	for await (const {picture, features, error} of model.features(pictures, known.layer, {crops: known.crops})) {
		if (!features) {
			yield {picture, error};
			continue;
		}
		requireSameNet(path, checkpoint, known, features);
		const rows = nearest(features, known.values, k).map(({place, distance}) => {
			const name = known.names[place] ?? '';
			return {picture: join(known.folder, name), name, distance};
		});
		yield {picture, nearest: rows};
	}
}

function requireSameNet(path: string, checkpoint: string, {layer, width}: Features, features: Float32Array): void {
	if (features.length === width) return;
	const message =
		`${path} has vectors of ${width} values, but ${layer} of ${checkpoint} puts out ${features.length}. ` +
		'Name the checkpoint that the features are of (--checkpoint).';
	throw new AlexNetError('ALEXNET_CHECKPOINT', message);
}

function inWords({picture, nearest}: Found): string {
	return [picture, ...nearest.map(({picture, distance}) => `  ${distance.toFixed(3).padStart(9)}  ${picture}`)].join(
		'\n',
	);
}
