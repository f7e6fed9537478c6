import type {Command} from 'commander';
import {inFolderOf} from '../../lib/checkpoint/write-whole.ts';
import {pngPath} from '../../lib/features/grid.ts';
import {AlexNet, AlexNetError, measureFilters, writeFilters} from '../../lib/index.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks, valueOf} from '../parse.ts';

export function addFilters(program: Command): void {
	const command = program
		.command('filters')
		.summary("draw or measure a trained net's first-layer kernels")
		.description(
			"Draw conv1's kernels as the paper's figure 3: column 0's above column 1's. --json measures them: the share of " +
				'energy off the grey axis, spatial frequency and orientation of each, and the means of each column.',
		)
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('[picture]', 'the PNG to write; may be left out with --json', (path) => valueOf(path, pngPath));
	addOptions(command, commonChecks, '--json');
	command.action(async (checkpoint: string, picture: string | undefined, options: {json?: boolean}) => {
		const output = new Output(options);
		if (picture === undefined && !output.isJson) {
			throw new AlexNetError('ALEXNET_ARGUMENT', 'Name the PNG to draw, as in filters.png, or measure with --json.');
		}
		await using model = await AlexNet.load(checkpoint, {batchSize: 1, inferenceOnly: true});
		if (output.isJson) output.json({checkpoint, ...(await measureFilters(model))});
		if (picture === undefined) return;
		await inFolderOf(picture, async () => writeFilters(model, picture));
		output.result(picture);
	});
}
