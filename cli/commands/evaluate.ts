import type {Command} from 'commander';
import {filePath, flag, oneOf, option} from '../../lib/base/check.ts';
import {imageFolderOptions} from '../../lib/data/image-folder.ts';
import {AlexNet, AlexNetError, Dataset, type Evaluation, type ImageFolder} from '../../lib/index.ts';
import {evaluateOptions, measuresOf} from '../../lib/training/evaluate.ts';
import {describeRun} from '../devices-in-words.ts';
import {accuracy, count, percent, table} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {outliveOutput, Output} from '../output.ts';
import {addOptions, commonChecks, inferenceFlags, inferring, type InferenceCommandOptions} from '../parse.ts';
import {writePredictions} from '../predictions-csv.ts';
import {openAsTrained} from '../run-pictures.ts';
import {UnreadableNotes} from '../unreadable.ts';

/** The parts in words. */
const parts = {train: 'those trained on', validation: 'those held out in training', all: 'all there are'} as const;
type Split = keyof typeof parts;

interface EvaluateCommandOptions extends InferenceCommandOptions {
	crops: 1 | 10;
	split?: Split;
	validationFraction?: number;
	seed?: number;
	strict?: boolean;
	perClass?: boolean;
	csv?: string;
}

const asInTraining = "as in training (default: the run's)";

const checks = {
	...{...commonChecks, ...evaluateOptions.checks},
	split: option(
		oneOf(Object.keys(parts)),
		"which pictures: those held out in training (default in the run's folder), those trained on, or all (in another)",
	),
	validationFraction: option(imageFolderOptions.checks.validationFraction, asInTraining),
	seed: option(imageFolderOptions.checks.seed, asInTraining),
	strict: imageFolderOptions.checks.strict,
	perClass: option(flag, 'print the results of each class'),
	csv: option(filePath, 'also write what was told of each picture to this file, as CSV'),
};

export function addEvaluate(program: Command): void {
	const command = program
		.command('evaluate')
		.summary('measure a trained net on a folder of pictures')
		.description('Loss, top-1 and top-5 accuracy of a trained net on pictures of known classes.')
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('<folder>', 'the pictures, laid out as for train');
	addOptions(command, checks, '--crops <number>', '--split <part>', '--validation-fraction <share>', '--per-class');
	addOptions(command, checks, '--csv <file>', '--seed <number>', '--strict', ...inferenceFlags, '--json');
	command.action(async (checkpoint: string, folder: string, options: EvaluateCommandOptions) => {
		outliveOutput();
		const output = new Output(options);
		using interruptible = new Interruptible(() => output.note('Ending after the current batch.'));
		await evaluate(checkpoint, folder, options, output, interruptible.signal);
	});
}

async function evaluate(
	checkpoint: string,
	folder: string,
	options: EvaluateCommandOptions,
	output: Output,
	signal: AbortSignal,
): Promise<void> {
	const {precision, crops, strict} = options;
	await using model = await AlexNet.load(checkpoint, inferring(options));
	const {validationFraction, seed} = options;
	const {imageSize} = model.architecture;
	const opened = await openAsTrained(folder, model, {validationFraction, seed}, {strict, imageSize});
	const {data} = opened;
	const split = options.split ?? (opened.isOfRun && data.validation.size > 0 ? 'validation' : 'all');
	const pictures = picturesOf(data, folder, split, strict);
	output.note(describeRun(model));
	for (const remark of data.remarks) output.note(remark);
	const classes = count(data.labels.length, 'class', 'classes');
	const missing = model.classes - data.labels.length;
	const without = missing > 0 ? ` The net knows ${count(missing, 'other')}, of which there are none here.` : '';
	output.note(`Evaluating ${count(pictures.size, 'picture')} in ${classes}: ${parts[split]}.${without}`);
	const trainedOn =
		(split === 'validation' ? 0 : opened.trainedOn.train) + (split === 'train' ? 0 : opened.trainedOn.validation);
	if (trainedOn > 0) {
		const which = trainedOn === pictures.size ? 'These' : `${trainedOn.toLocaleString('en-US')} of them`;
		output.note(`${which} were trained on: their accuracy says little.`);
	}
	const onProgress = (done: number, total: number): void => output.progress('evaluating', done, total);
	const given = {crops, signal, onProgress};
	const {csv} = options;
	const evaluation =
		csv === undefined
			? await model.evaluate(pictures, given)
			: await writePredictions(csv, {folder, pictures: pictures.pictures, labels: model.labels}, (onPicture) =>
					model.evaluate(pictures, {...given, onPicture}),
				);
	new UnreadableNotes(output, [pictures]).tell();
	const how = {checkpoint, folder, split, crops, device: model.devices.join(), precision};
	if (output.isJson) {
		output.json({...how, ...forJson(evaluation), unreadable: pictures.unreadable.size, trainedOn});
		return;
	}
	output.result(
		`${count(evaluation.pictures, 'picture')}, ${count(crops, 'crop')}: ` +
			`loss ${evaluation.loss.toFixed(3)}, ${accuracy(evaluation, {top5: model.classes > 5})}`,
	);
	if (options.perClass === true) output.result(classTable(evaluation));
}

/** Of more classes the table would be longer than a string can be. */
const mostInTable = 5000;

function forJson(evaluation: Evaluation): object {
	const {classes} = evaluation;
	const measures = {...measuresOf(evaluation), classes};
	if (classes.length > mostInTable) return measures;
	return {...measures, confusion: evaluation.confusion.map((row) => [...row])};
}

function classTable({classes}: Evaluation): string {
	const rows = classes
		.filter(({pictures}) => pictures > 0)
		.map(({label, pictures, correct, takenFor}) => [
			...[label, `${pictures}`, `${correct}`, percent(correct / pictures)],
			takenFor ? `${takenFor.label} (${takenFor.pictures})` : '',
		]);
	return table(['class', 'pictures', 'right', 'share', 'most often taken for'], rows);
}

function picturesOf(data: ImageFolder, folder: string, split: Split, strict: boolean | undefined): Dataset {
	const {train, validation, labels} = data;
	const sources = {
		train: () => train,
		validation: () => validation,
		all: () => {
			const pictures = [...train.pictures, ...validation.pictures];
			return new Dataset({labels, pictures, strict, imageSize: train.imageSize, decode: train.decode});
		},
	};
	const chosen = sources[split]();
	if (chosen.size > 0) return chosen;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`No picture of '${folder}' is held out (--split ${split}). Use --split all, or a larger --validation-fraction.`,
	);
}
