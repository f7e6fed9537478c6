// A run that begins with another net's weights, and features, through the command line.
import {mkdtemp, readdir, readFile, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {readFeatures} from '../../lib/features/features-file.ts';
import {AlexNet} from '../../lib/index.ts';
import {alexnet, writeCorruptPicture, writePictures} from '../helpers/command.ts';
import {writeSmallCheckpoint} from '../helpers/small-checkpoint.ts';
import {largestDifference} from '../helpers/pictures.ts';
import {differences} from '../helpers/small-runs.ts';

const colours = {blue: [30, 40, 220], green: [20, 200, 40], red: [220, 30, 30]};
const [frozen, batch] = [
	['--freeze', 'conv1,conv2'],
	['--batch-size', '5'],
];

let folder = '';
let [pictures, teacher, whole] = ['', '', ''];

test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-fine-tuning-'));
	[pictures, teacher, whole] = ['pictures', 'teacher.safetensors', 'whole'].map((name) => join(folder, name)) as [
		string,
		string,
		string,
	];
	await writePictures(pictures, colours, 7);
	await writeSmallCheckpoint(teacher);
});

test.after.always(async () => rm(folder, {recursive: true, force: true}));

const from = (out: string, ...more: string[]): string[] => {
	return ['train', pictures, '--from', teacher, ...frozen, ...batch, '--out', out, ...more];
};

test.serial('train --from begins with the weights, says so, and keeps what is frozen', async (t) => {
	const {code, stderr} = await alexnet(from(whole, '--epochs', '2'));
	t.is(code, 0, stderr);
	t.regex(stderr, /^Recipe 'small', .*: 2 epochs in batches of 5, learning rate 0\.001, patience 10\.$/m);
	t.true(
		stderr.includes(
			`Weights start as those of '${teacher}'; fc8 is new and learns 10 times as fast.\nFrozen: conv1, conv2.\n`,
		),
		stderr,
	);
	const {settings} = JSON.parse(await readFile(join(whole, 'config.json'), 'utf8')) as {settings: object};
	t.like(settings, {from: teacher, freeze: ['conv1', 'conv2'], lastLayerLearningRateScale: 10, learningRate: 0.001});
	t.false('init' in settings || 'lrn' in settings, 'the checkpoint says what the net is like');
	await using before = await AlexNet.load(teacher);
	await using after = await AlexNet.load(join(whole, 'last.safetensors'));
	t.deepEqual(after.labels, ['blue', 'green', 'red']);
	t.deepEqual(after.frozen, ['conv1', 'conv2']);
	const weights = await before.getParameters();
	for (const [name, values] of await after.getParameters()) {
		if (name.startsWith('conv')) t.deepEqual(values, weights.get(name), name);
		else t.notDeepEqual(values, weights.get(name), name);
	}
});

test.serial(
	'a run that was resumed ends as one that was not, also without the checkpoint that it began with',
	async (t) => {
		const run = join(folder, 'resumed');
		await writeSmallCheckpoint(join(folder, 'gone.safetensors'));
		const begin = from(run, '--epochs', '1').map((word) =>
			word === teacher ? join(folder, 'gone.safetensors') : word,
		);
		t.is((await alexnet(begin)).code, 0);
		await rm(join(folder, 'gone.safetensors'));
		const ended = await alexnet(['train', pictures, '--resume', run, '--epochs', '2']);
		t.is(ended.code, 0, ended.stderr);
		t.deepEqual(await differences(run, whole), []);
		const words = await alexnet(['train', pictures, '--resume', run, '--freeze', 'conv1']);
		t.is(words.code, 1);
		t.regex(words.stderr, /--freeze is \["conv1"\], but the run .* was started with \["conv1","conv2"\]/);
	},
);

test.serial('a class of which no picture can be read: --from trains nothing, evaluate tells of no other', async (t) => {
	const pages = join(folder, 'pages');
	await writePictures(pages, colours, 3);
	for (const name of await readdir(join(pages, 'red'))) await writeCorruptPicture(join(pages, 'red', name));
	const out = join(folder, 'of-pages');
	for (const args of [
		['train', pages, '--from', teacher, ...frozen, '--batch-size', '2', '--validation-fraction', '0', '--out', out],
		['evaluate', join(whole, 'last.safetensors'), pages],
	]) {
		const {code, stdout, stderr} = await alexnet(args);
		t.is(code, 1);
		t.is(stdout, '');
		t.regex(stderr, /^error: None of the 3 pictures of class 'red' can be read; .* \(ALEXNET_FOLDER\)$/m);
	}
	await t.throwsAsync(readdir(out), {code: 'ENOENT'});
});

test.serial('what contradicts --from, or cannot be frozen', async (t) => {
	const refused = async (args: readonly string[], code: string, message: RegExp): Promise<void> => {
		const ended = await alexnet(['train', pictures, '--out', join(folder, 'refused'), ...batch, ...args]);
		t.is(ended.code, 1, ended.stderr);
		t.regex(ended.stderr, message);
		t.true(ended.stderr.trimEnd().endsWith(`(${code})`), ended.stderr);
	};
	await refused(['--from', teacher, '--no-lrn'], 'ALEXNET_ARGUMENT', /--no-lrn describes a new net, but --from takes/);
	await refused(['--from', teacher, '--freeze', 'conv1,fc8'], 'ALEXNET_ARGUMENT', /fc8 is replaced .* Leave it out/);
	await refused(['--from', teacher, '--freeze', 'conv1,con2'], 'ALEXNET_ARGUMENT', /'con2'\. Did you mean 'conv2'\?/);
	await refused(['--from', join(folder, 'none.safetensors')], 'ALEXNET_CHECKPOINT', /none\.safetensors/);
	await t.throwsAsync(readdir(join(folder, 'refused')), {code: 'ENOENT'});
});

test.serial(
	'features writes a vector for each readable picture, nearest finds and draws the most similar',
	async (t) => {
		await writeCorruptPicture(join(pictures, 'red', 'corrupt.png'));
		t.teardown(() => rm(join(pictures, 'red', 'corrupt.png')));
		const file = join(folder, 'features', 'fc7.safetensors');
		const written = await alexnet(['features', teacher, pictures, '--out', file]);
		t.is(written.code, 0, written.stderr);
		t.is(written.stdout, `${file}: 32 outputs of fc7 for 21 pictures\n`);
		t.regex(written.stderr, /red\/corrupt\.png.* \(ALEXNET_PICTURE\) It is left out\./);

		const npy = await alexnet([
			'features',
			teacher,
			pictures,
			'--layer',
			'pool5',
			'--out',
			join(folder, 'pool5.npy'),
			'--json',
		]);
		t.like(JSON.parse(npy.stdout) as object, {layer: 'pool5', pictures: 21, width: 16 * 36, unreadable: 1});
		t.is((await readFile(join(folder, 'pool5.txt'), 'utf8')).split('\n')[0], 'blue/0.png');

		const queries = ['green/2.png', 'red/1.png'].map((name) => join(pictures, name));
		const grid = join(folder, 'grids', 'grid.png');
		const found = await alexnet(['nearest', file, ...queries, '-k', '4', '--out', grid]);
		t.is(found.code, 0, found.stderr);
		const lines = found.stdout.trimEnd().split('\n');
		t.is(lines.length, 2 * (1 + 4));
		t.is(lines[0], queries[0]);
		t.regex(lines[1]!, /^ +0\.00\d {2}\S+green\/2\.png$/, 'itself first');
		t.deepEqual(
			[(await sharp(grid).metadata()).width, (await sharp(grid).metadata()).height],
			[5 * 128 + 24 + 3 * 6, 262],
		);
		const json = await alexnet(['nearest', file, queries[1]!, '-k', '2', '--json', '--checkpoint', teacher]);
		const [first] = JSON.parse(json.stdout) as {picture: string; nearest: {picture: string; distance: number}[]}[];
		t.is(first?.picture, queries[1]);
		t.is(first?.nearest.length, 2);
		t.true(first!.nearest[0]!.distance < first!.nearest[1]!.distance / 100, 'batches of other sizes change last bits');

		const prepared = join(folder, 'prepared');
		t.is((await alexnet(['prepare', pictures, prepared])).code, 0);
		const ofPrepared = join(folder, 'features', 'prepared.safetensors');
		const same = await alexnet(['features', teacher, prepared, '--out', ofPrepared]);
		t.is(same.stdout, `${ofPrepared}: 32 outputs of fc7 for 21 pictures\n`, same.stderr);
		t.regex(same.stderr, /red\/corrupt\.png.* \(ALEXNET_PICTURE\) It is left out\./);
		const [one, other] = await Promise.all([readFeatures(file), readFeatures(ofPrepared)]);
		t.deepEqual(other.names, one.names);
		t.true(largestDifference(other.values, one.values) < 1e-4);
		const drawn = join(folder, 'grids', 'prepared.png');
		const again = await alexnet(['nearest', ofPrepared, ...queries, '-k', '4', '--out', drawn]);
		t.is(again.code, 0, again.stderr);
		t.is((await sharp(drawn).metadata()).height, 262);

		const failing = join(pictures, 'red', 'failing.png');
		await symlink('/proc/self/mem', failing);
		t.teardown(() => rm(failing));
		const unfinished = join(folder, 'unfinished.safetensors');
		const failed = await alexnet(['features', teacher, pictures, '--out', unfinished]);
		t.is(failed.code, 1);
		t.regex(failed.stderr, /red\/failing\.png' cannot be had \(EIO: .*\(ALEXNET_FOLDER\)$/m);
		await t.throwsAsync(readFile(unfinished), {code: 'ENOENT'});

		const wrong = await alexnet(['nearest', file, join(pictures, 'red', 'corrupt.png')]);
		t.is(wrong.code, 1);
		t.regex(wrong.stderr, /corrupt\.png.*\(ALEXNET_PICTURE\)/);
		const none = await alexnet(['features', teacher, join(folder, 'grids', 'none')]);
		t.regex(none.stderr, /There is no folder .*\(ALEXNET_FOLDER\)/);
		const nothing = await alexnet(['features', teacher, pictures, '--layer', 'fc9', '--out', file]);
		t.regex(nothing.stderr, /no layer 'fc9'\. Did you mean 'fc7'\?/);
	},
);
