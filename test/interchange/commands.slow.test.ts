import {writeFile} from 'node:fs/promises';
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {alexnet} from '../helpers/command.ts';
import {temporaryPaths} from '../helpers/interchange.ts';
import {tinyModel} from '../helpers/networks.ts';

const at = temporaryPaths();

test('alexnet export and import: a checkpoint with the same weights, and names from a file', async (t) => {
	await using model = await tinyModel({seed: Math.floor(Math.random() * 1e6)});
	await saveCheckpoint(model, at('net.safetensors'));
	const exported = await alexnet(['export', at('net.safetensors'), at('folder/net.onnx')]);
	t.is(exported.code, 0, exported.stderr);
	t.is(exported.stdout, `${at('folder/net.onnx')}\n`);
	await writeFile(at('names'), 'crane\r\ngrue\r\ncrane\r\n');
	const imported = await alexnet([
		'import',
		at('folder/net.onnx'),
		at('back/net.safetensors'),
		'--labels',
		at('names'),
	]);
	t.is(imported.code, 0, imported.stderr);
	await using back = await AlexNet.load(at('back/net.safetensors'), {inferenceOnly: true});
	t.deepEqual(back.labels, ['crane', 'grue', 'crane (2)']);
	t.deepEqual(await back.getParameters(), await model.getParameters());
	t.deepEqual(back.statistics, model.statistics);
});

test('what cannot be imported is named, with the code', async (t) => {
	await writeFile(at('text'), 'no net at all');
	const {code, stderr} = await alexnet(['import', at('text'), at('never.safetensors')]);
	t.is(code, 1);
	t.regex(stderr, /Could not import .*text: it is no ONNX file.* \(ALEXNET_IMPORT\)/);
});
