import type {Command} from 'commander';
import {filePath, option} from '../../lib/base/check.ts';
import {inFolderOf} from '../../lib/checkpoint/write-whole.ts';
import {AlexNet, type PictureConvention} from '../../lib/index.ts';
import {importOptions, readLabels} from '../../lib/interchange/import-net.ts';
import {Output} from '../output.ts';
import {addOptions} from '../parse.ts';

interface ImportCommandOptions {
	preset?: PictureConvention;
	labels?: string;
	mean?: string;
	crop?: number;
}

export function addImport(program: Command): void {
	const command = program
		.command('import')
		.summary("make a checkpoint of another program's net")
		.description("Make a checkpoint of another program's net: ONNX, Caffe's, PyTorch's; see docs/interchange.md.")
		.argument('<file>', 'a net; its contents tell its format')
		.argument('<checkpoint>', 'the checkpoint to write');
	const labels = option(filePath, 'a file with a name for each output, one a line');
	const checks = {...importOptions.checks, labels};
	addOptions(command, checks, '--preset <preset>', '--labels <file>', '--mean <file>', '--crop <pixels>');
	command.action(async (file: string, checkpoint: string, {labels, ...options}: ImportCommandOptions) => {
		const names = labels === undefined ? undefined : await readLabels(labels);
		await using model = await AlexNet.import(file, {...options, labels: names, inferenceOnly: true});
		await inFolderOf(checkpoint, async () => model.save(checkpoint));
		new Output().result(checkpoint);
	});
}
