import type {Command} from 'commander';
import {isAlexNetError} from '../../errors.ts';
import {AlexNet, type Classification, type ClassifyOptions, type Precision} from '../../index.ts';
import {exitCodes} from '../exit-codes.ts';
import {percent} from '../format.ts';
import {Output} from '../output.ts';
import {commonOptions, integer} from '../parse.ts';

interface ClassifyCommandOptions {
	top: number;
	crops: 1 | 10;
	device: string;
	threads?: number;
	precision: Precision;
	json?: boolean;
}

/** A picture's classes, or why there are none. */
type Result = {picture: string} & ({classes: Classification[]} | {error: {code: string; message: string}});

export function addClassify(program: Command): void {
	program
		.command('classify')
		.summary('tell what pictures show')
		.description('Tell which classes pictures most likely show.')
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('<pictures...>', 'JPEG, PNG, WebP, GIF or TIFF files')
		.option('--top <number>', 'classes to tell for each picture', integer(1), 5)
		.addOption(commonOptions.crops())
		.addOption(commonOptions.device())
		.addOption(commonOptions.threads())
		.addOption(commonOptions.precision())
		.addOption(commonOptions.json())
		.action(async (checkpoint: string, pictures: string[], options: ClassifyCommandOptions) => {
			const output = new Output(options);
			const {device, threads, precision, top, crops} = options;
			const placement = {devices: device.split(','), threads};
			await using model = await AlexNet.load(checkpoint, {...placement, precision, batchSize: crops});
			const results: Result[] = [];
			for (const picture of pictures) {
				const result = await classify(model, picture, {top, crops});
				results.push(result);
				tell(output, result);
				if ('error' in result) process.exitCode = exitCodes.failed;
			}
			output.json(results);
		});
}

/** One bad picture does not keep the others from being told. */
async function classify(model: AlexNet, picture: string, options: ClassifyOptions): Promise<Result> {
	try {
		return {picture, classes: await model.classify(picture, options)};
	} catch (error) {
		if (!isAlexNetError(error, 'ALEXNET_PICTURE')) throw error;
		return {picture, error: {code: error.code, message: error.message}};
	}
}

function tell(output: Output, result: Result): void {
	if ('error' in result) {
		output.note(`error: ${result.error.message} (${result.error.code})`);
		return;
	}
	if (output.isJson) return;
	const lines = result.classes.map(({label, probability}) => {
		return `  ${percent(probability).padStart(7)}  ${label}`;
	});
	output.result([result.picture, ...lines].join('\n'));
}
