import {Option, type Command} from 'commander';
import {AlexNet, AlexNetError, Dataset, ImageFolder, type Precision} from '../../index.ts';
import {describeRun} from '../devices-in-words.ts';
import {count, percent} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {outliveOutput, Output} from '../output.ts';
import {commonOptions, integer, number} from '../parse.ts';
import {UnreadableNotes} from '../unreadable.ts';

/** The parts in words. */
const parts = {train: 'those trained on', validation: 'those held out in training', all: 'all there are'} as const;
type Split = keyof typeof parts;

interface EvaluateCommandOptions {
	device: string;
	precision: Precision;
	batchSize: number;
	crops: 1 | 10;
	split: Split;
	validationFraction: number;
	seed?: number;
	strict?: boolean;
	json?: boolean;
}

export function addEvaluate(program: Command): void {
	program
		.command('evaluate')
		.summary('measure a trained net on a folder of pictures')
		.description('Loss, top-1 and top-5 accuracy of a trained net on pictures of known classes.')
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('<folder>', 'the pictures, laid out as for train')
		.addOption(commonOptions.crops())
		.addOption(
			new Option('--split <part>', 'which pictures: those held out in training, those trained on, or all')
				.choices(Object.keys(parts))
				.default('validation'),
		)
		.option('--validation-fraction <share>', 'as in training', number(0, 1), 0.1)
		.option('--seed <number>', "as in training (default: the checkpoint's)", integer(0))
		.option('--strict', 'stop at a picture that cannot be read, instead of leaving it out')
		.addOption(commonOptions.device())
		.addOption(commonOptions.precision())
		.option('--batch-size <number>', 'pictures at once', integer(1), 128)
		.addOption(commonOptions.json())
		.action(async (checkpoint: string, folder: string, options: EvaluateCommandOptions) => {
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
	const {device, precision, batchSize, crops, split, validationFraction, strict} = options;
	await using model = await AlexNet.load(checkpoint, {devices: device.split(','), precision, batchSize});
	const {seed = model.seed} = options;
	const data = await ImageFolder.open(folder, {validationFraction, seed, strict, cacheBytes: 0});
	const pictures = picturesOf(data, folder, options);
	output.note(describeRun(model.devices, model.precision));
	const classes = count(model.classes, 'class', 'classes');
	output.note(`Evaluating ${count(pictures.size, 'picture')} in ${classes}: ${parts[split]}.`);
	const onProgress = (done: number, total: number): void => output.progress('evaluating', done, total);
	const evaluation = await model.evaluate(pictures, {crops, signal, onProgress});
	new UnreadableNotes(output, [pictures]).tell();
	const {loss, top1, top5} = evaluation;
	const unreadable = pictures.unreadable.size;
	output.json({checkpoint, folder, split, crops, device: model.devices.join(), precision, ...evaluation, unreadable});
	if (output.isJson) return;
	output.result(
		`${count(evaluation.pictures, 'picture')}, ${count(crops, 'crop')}: ` +
			`loss ${loss.toFixed(3)}, top-1 ${percent(top1)}${model.classes > 5 ? `, top-5 ${percent(top5)}` : ''}`,
	);
}

function picturesOf(data: ImageFolder, folder: string, {split, strict}: EvaluateCommandOptions): Dataset {
	const {train, validation, labels} = data;
	const sources = {
		train: () => train,
		validation: () => validation,
		all: () => new Dataset({labels, pictures: [...train.pictures, ...validation.pictures], strict}),
	};
	const chosen = sources[split]();
	if (chosen.size > 0) return chosen;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`No picture of '${folder}' is held out (--split ${split}). Use --split all, or a larger --validation-fraction.`,
	);
}
