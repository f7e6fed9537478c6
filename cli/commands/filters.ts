import {dirname} from 'node:path';
import type {Command} from 'commander';
import {makeFolder} from '../../lib/base/files.ts';
import {AlexNet, writeFilters} from '../../lib/index.ts';
import {Output} from '../output.ts';
import {pngPath, valueOf} from '../parse.ts';

export function addFilters(program: Command): void {
	program
		.command('filters')
		.summary("draw a trained net's first-layer kernels")
		.description("Draw conv1's kernels as the paper's figure 3: column 0's above column 1's.")
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('<picture>', 'the PNG to write', (path) => valueOf(path, pngPath))
		.action(async (checkpoint: string, picture: string) => {
			await using model = await AlexNet.load(checkpoint, {batchSize: 1, inferenceOnly: true});
			await makeFolder(dirname(picture));
			await writeFilters(model, picture);
			new Output().result(picture);
		});
}
