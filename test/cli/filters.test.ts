// `alexnet filters`: the kernels as a picture, as numbers, or both.
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {AlexNet, measureFilters, type FilterMeasures} from '../../lib/index.ts';
import {alexnet} from '../helpers/command.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {writeSmallCheckpoint} from '../helpers/small-checkpoint.ts';

test('--json tells what the library measures, and draws only where a picture is named', async (t) => {
	const folder = await temporaryFolder(t);
	const [net, picture] = [join(folder, 'net.safetensors'), join(folder, 'filters.png')];
	await writeSmallCheckpoint(net);
	await using model = await AlexNet.load(net, {inferenceOnly: true});
	const measures = await measureFilters(model);
	t.deepEqual(
		measures.columns.map(({column, kernels}) => [column, kernels]),
		[
			[0, 4],
			[1, 4],
		],
	);
	const numbers = await alexnet(['filters', net, '--json']);
	t.is(numbers.code, 0, numbers.stderr);
	t.deepEqual(JSON.parse(numbers.stdout), {checkpoint: net, ...measures});
	await t.throwsAsync(stat(picture));
	const both = await alexnet(['filters', net, picture, '--json']);
	t.is(both.code, 0, both.stderr);
	t.deepEqual((JSON.parse(both.stdout) as FilterMeasures).kernels, measures.kernels);
	t.is((await sharp(picture).metadata()).format, 'png');
	const neither = await alexnet(['filters', net]);
	t.is(neither.code, 1);
	t.regex(neither.stderr, /--json.*ALEXNET_ARGUMENT/);
});
