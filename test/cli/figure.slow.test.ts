// `alexnet figure`: from a checkpoint or a run folder and a folder of pictures to a figure and the same in words.
import {cp, mkdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import type {ShownNeighbours, ShownPrediction} from '../../lib/index.ts';
import {alexnet, writePictures} from '../helpers/command.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {writeSmallCheckpoint} from '../helpers/small-checkpoint.ts';

test('figures of a net, with the pictures that a draw or the user chooses', async (t) => {
	const folder = await temporaryFolder(t);
	const [net, run, pictures] = [join(folder, 'net.safetensors'), join(folder, 'run'), join(folder, 'pictures')];
	await writeSmallCheckpoint(net);
	await mkdir(run);
	await cp(net, join(run, 'last.safetensors'));
	const colours = {cat: [200, 40, 40], dog: [40, 40, 200]};
	await writePictures(join(pictures, 'train'), colours, 6);
	await writePictures(join(pictures, 'val'), colours, 3);

	const svg = join(folder, 'new/predictions.svg');
	const drawn = await alexnet(['figure', 'predictions', net, pictures, '--out', svg, '--count', '4']);
	t.is(drawn.code, 0, drawn.stderr);
	t.is((await readFile(svg, 'utf8')).match(/<image /g)?.length, 4);
	t.is(drawn.stdout.match(/^(cat|dog): .*\/val\//gm)?.length, 4, drawn.stdout);
	t.is(drawn.stdout.match(/^ +\d+\.\d % {2}(cat|dog)$/gm)?.length, 8);

	const names = [join(pictures, 'val/dog/1.png'), 'train/cat/0.png'];
	const args = ['figure', 'predictions', run, pictures, ...names, '--out', svg, '--json'];
	const named = await alexnet(args);
	t.is(named.code, 0, named.stderr);
	const told = JSON.parse(named.stdout) as {pictures: ShownPrediction[]};
	t.deepEqual(
		told.pictures.map(({label, path}) => [label, path]),
		[
			['dog', names[0]],
			['cat', join(pictures, names[1]!)],
		],
	);
	const none = await alexnet(['figure', 'predictions', net, pictures, 'val/dog/99.png', '--out', svg]);
	t.is(none.code, 1);
	t.regex(none.stderr, /val\/dog\/99\.png.*ALEXNET_PICTURE/);

	const png = join(folder, 'neighbours.png');
	const found = await alexnet([
		'figure',
		'neighbours',
		run,
		pictures,
		'--out',
		png,
		'--json',
		'--count',
		'3',
		'-k',
		'2',
	]);
	t.is(found.code, 0, found.stderr);
	const {pictures: rows} = JSON.parse(found.stdout) as {pictures: ShownNeighbours[]};
	t.is(rows.length, 3);
	for (const {path, nearest} of rows) {
		t.regex(path ?? '', /\/val\//);
		t.is(nearest.length, 2);
		t.true(nearest.every((other) => other.path?.includes('/train/')));
		t.true(nearest[0]!.distance <= nearest[1]!.distance);
	}
	t.is((await sharp(png).metadata()).height, 3 * 134 - 6);
	const empty = await alexnet(['figure', 'neighbours', pictures, pictures]);
	t.regex(empty.stderr, /best\.safetensors.*ALEXNET_RUN/);
	const gif = await alexnet(['figure', 'predictions', net, pictures, '--out', 'f.gif']);
	t.is(gif.code, 2);
});
