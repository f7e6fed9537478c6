import type {Command} from 'commander';
import {option, text} from '../../lib/base/check.ts';
import {inFolderOf} from '../../lib/checkpoint/write-whole.ts';
import {featuresOptions} from '../../lib/classifier.ts';
import type {PictureInput} from '../../lib/data/picture-input.ts';
import {listPictures} from '../../lib/data/picture-list.ts';
import {collectFeatures} from '../../lib/features/collect.ts';
import {featuresPath, writeFeatures} from '../../lib/features/features-file.ts';
import {AlexNet} from '../../lib/index.ts';
import {count} from '../format.ts';
import {Output} from '../output.ts';
import {addOptions, inferenceChecks, inferenceFlags, inferring, type InferenceCommandOptions} from '../parse.ts';

interface FeaturesCommandOptions extends InferenceCommandOptions {
	layer: string;
	out: string;
	crops: 1 | 10;
}

const checks = {
	...{...featuresOptions.checks, ...inferenceChecks},
	layer: option(text, "the layer whose outputs they are; the paper's are the last hidden one's", 'fc7'),
	out: option(
		featuresPath,
		'the file to write: .safetensors, or .npy with the names in a .txt',
		'features.safetensors',
	),
};

export function addFeatures(program: Command): void {
	const command = program
		.command('features')
		.summary('write the feature vectors of pictures')
		.description(
			'Write what a layer puts out for each picture in a folder and the folders in it, after its activation and ' +
				'without dropout: [pictures, outputs] in fp32, of a layer of channels [C, H, W] in a row. ' +
				'`alexnet nearest` finds similar pictures with it.',
		)
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('<folder>', 'the pictures, with or without folders for classes, or prepared ones');
	addOptions(command, checks, '--layer <name>', '--out <file>', '--crops <number>');
	addOptions(command, checks, ...inferenceFlags, '--json');
	command.action(async (checkpoint: string, folder: string, options: FeaturesCommandOptions) => {
		const output = new Output(options);
		const {layer, crops, out} = options;
		const pictures = await listPictures(folder);
		const {names, width} = await inFolderOf(out, async () => {
			await using model = await AlexNet.load(checkpoint, inferring(options));
			const infer = (inputs: AsyncIterable<PictureInput>): ReturnType<typeof model.features> =>
				model.features(inputs, layer, {crops});
			let done = 0;
			const features = await collectFeatures(pictures, infer, (error) => {
				output.progress('features', ++done, pictures.names.length);
				if (error) output.note(`${error.message} (${error.code}) It is left out.`);
			});
			await writeFeatures(out, {...features, layer, crops, checkpoint, folder});
			return features;
		});
		output.clear();
		output.json({out, layer, pictures: names.length, width, unreadable: pictures.names.length - names.length});
		const each = width.toLocaleString('en-US');
		if (!output.isJson) output.result(`${out}: ${each} outputs of ${layer} for ${count(names.length, 'picture')}`);
	});
}
