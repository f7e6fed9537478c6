import {extname} from 'node:path';
import {InvalidArgumentError, type Command} from 'commander';
import {inFolderOf} from '../../lib/checkpoint/write-whole.ts';
import {AlexNet, exportOnnx, exportSafetensors} from '../../lib/index.ts';
import {Output} from '../output.ts';

/** By the ending of the file's name. */
const writers = {'.onnx': exportOnnx, '.safetensors': exportSafetensors} as const;
const endings = Object.keys(writers).join(' or ');

export function addExport(program: Command): void {
	program
		.command('export')
		.summary('write a trained net for other programs')
		.description('Write a trained net for other programs: ONNX for ONNX Runtime and browsers, safetensors for PyTorch.')
		.argument('<checkpoint>', 'for example run/best.safetensors')
		.argument('<file>', `the file to write; it ends in ${endings}`, knownEnding)
		.action(async (checkpoint: string, file: string) => {
			await using model = await AlexNet.load(checkpoint, {batchSize: 1, inferenceOnly: true});
			const write = writers[extname(file).toLowerCase() as keyof typeof writers];
			await inFolderOf(file, async () => write(model, file));
			new Output().result(file);
		});
}

function knownEnding(path: string): string {
	if (extname(path).toLowerCase() in writers) return path;
	throw new InvalidArgumentError(`Expected a path that ends in ${endings}.`);
}
