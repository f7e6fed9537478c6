import type {Command} from 'commander';
import {classifyOptions} from '../../lib/classifier.ts';
import {AlexNet, type Classification} from '../../lib/index.ts';
import {exitCodes} from '../exit-codes.ts';
import {percent} from '../format.ts';
import {Output} from '../output.ts';
import {addOptions, inferenceChecks, inferenceFlags, inferring, type InferenceCommandOptions} from '../parse.ts';

interface ClassifyCommandOptions extends InferenceCommandOptions {
	top: number;
	crops: 1 | 10;
}

/** A picture's classes, or why there are none. */
type Result = {picture: string} & ({classes: Classification[]} | {error: {code: string; message: string}});

export function addClassify(program: Command): void {
	const command = program
		.command('classify')
		.summary('tell what pictures show')
		.description('Tell which classes pictures most likely show.')
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('<pictures...>', 'JPEG, PNG, WebP, GIF or TIFF files');
	const checks = {...inferenceChecks, ...classifyOptions.checks};
	addOptions(command, checks, '--top <number>', '--crops <number>', ...inferenceFlags, '--json');
	command.action(async (checkpoint: string, pictures: string[], options: ClassifyCommandOptions) => {
		const output = new Output(options);
		const {top, crops} = options;
		await using model = await AlexNet.load(checkpoint, inferring(options));
		const results: Result[] = [];
		for await (const {picture, classes, error} of model.classifyMany(pictures, {top, crops})) {
			const result = classes ? {picture, classes} : {picture, error: {code: error.code, message: error.message}};
			results.push(result);
			tell(output, result);
			if (error) process.exitCode = exitCodes.failed;
		}
		output.json(results);
	});
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
