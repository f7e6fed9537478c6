// A run from pictures to predictions, through the command line, with the real net.
import {copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {SafetensorsFile} from '../../lib/checkpoint/safetensors.ts';
import {recipes, runFiles, type EpochReport, type TrainReport} from '../../lib/index.ts';
import {alexnet, controlCharacters, writeCorruptPicture, writePictures, type Ended} from '../helpers/command.ts';
import {differences} from '../helpers/small-runs.ts';

const colours = {blue: [30, 40, 220], green: [20, 200, 40], red: [220, 30, 30]};
const small = ['--batch-size', '5', '--init', 'source2012', '--learning-rate', '0.001'];

let folder = '';
let pictures = '';
let run = '';
let trained: Ended;

function linesOf(text: string): TrainReport[] {
	return text
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as TrainReport);
}

test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	pictures = join(folder, 'pictures');
	run = join(folder, 'runs', 'first');
	await writePictures(join(pictures, 'train'), colours, 7);
	await writePictures(join(pictures, 'val'), colours, 1);
	await writeCorruptPicture(join(pictures, 'train', 'red', 'corrupt.png'));
	trained = await alexnet(['train', pictures, '--epochs', '2', '--out', run, '--json', ...small]);
});

test.after.always(async () => rm(folder, {recursive: true, force: true}));

test.serial('train ends well and prints every report as a line of JSON', (t) => {
	t.is(trained.code, 0, trained.stderr);
	const reports = linesOf(trained.stdout);
	// 21 readable pictures in batches of 5, twice.
	t.is(reports.filter(({type}) => type === 'step').length, 2 * 4);
	const epochs = epochsOf(trained.stdout);
	t.deepEqual(
		epochs.map(({epoch, validation}) => [epoch, validation?.pictures]),
		[
			[1, 3],
			[2, 3],
		],
	);
	t.true(reports.every(({loss, imagesPerSecond}) => Number.isFinite(loss) && imagesPerSecond > 0));
});

test.serial('train says what runs, how weights start, how many pictures there are and which cannot be read', (t) => {
	t.regex(trained.stderr, /^Device: cpu:0 \(.*\) in fp32\.$/m);
	t.regex(trained.stderr, /^Pictures: 22 to train on and 3 held out, in 3 classes\.$/m);
	t.regex(trained.stderr, /^Classes: blue 7 \+ 1, green 7 \+ 1, red 8 \+ 1 \(trained on \+ held out\)\.$/m);
	const recipe = /^Recipe 'small', .* 22 training pictures: 2 epochs in batches of 5, learning rate 0\.001, /m;
	t.regex(trained.stderr, recipe);
	t.regex(trained.stderr, /Weights start as in init 'source2012'/);
	t.regex(trained.stderr, /^1 picture could not be read and is left out:\n {2}.*corrupt\.png: /m);
	const largest = String.raw`top-1 \d+\.\d %, the largest class alone is 33\.3 %`;
	t.regex(
		trained.stderr,
		new RegExp(String.raw`^epoch 1/2: loss \d+\.\d+, top-1 .* held out: loss \d+\.\d+, ${largest} \|`, 'm'),
	);
	t.regex(
		trained.stderr,
		new RegExp(String.raw`^Best: ${largest} \(3 held-out pictures\) after epoch [12] of 2: `, 'm'),
	);
	t.true(trained.stderr.includes(join(run, 'best.safetensors')));
	t.deepEqual(controlCharacters(trained.stdout + trained.stderr), []);
});

test.serial('the run folder holds metrics, configuration, checkpoints and filters', async (t) => {
	const names = Object.values(runFiles).sort();
	t.deepEqual((await readdir(run)).sort(), names);
	t.deepEqual(linesOf(await readFile(join(run, 'metrics.jsonl'), 'utf8')), linesOf(trained.stdout));
	const config = JSON.parse(await readFile(join(run, 'config.json'), 'utf8')) as Record<string, unknown>;
	t.deepEqual(config.labels, ['blue', 'green', 'red']);
	t.like(config.settings, {precision: 'fp32', batchSize: 5, seed: 0, init: 'source2012', epochs: 2, augment: true});
	t.like(config.settings, {learningRate: 0.001, momentum: 0.9, device: 'cpu'});
	t.like(config.settings, {recipe: 'small', patience: recipes.small.train.patience});
	const epochs = epochsOf(trained.stdout);
	t.is(await stepOf('last.safetensors'), epochs.at(-1)!.step);
	t.is(await stepOf('best.safetensors'), epochs.findLast(({best}) => best)!.step);
	// 96 kernels of 11 x 11 at 4 pixels a weight, 16 in a row, 4 pixels between them.
	t.like(await sharp(join(run, 'filters.png')).metadata(), {format: 'png', width: 16 * 48 + 4, height: 6 * 48 + 12});
});

function epochsOf(text: string): EpochReport[] {
	return linesOf(text).filter((report) => report.type === 'epoch');
}

async function stepOf(name: string, path = run): Promise<number> {
	const file = await SafetensorsFile.open(join(path, name));
	await file.close();
	return Number(file.metadata.step);
}

test.serial('a run folder with a checkpoint is not used again', async (t) => {
	const before = await stat(join(run, 'metrics.jsonl'));
	const {code, stderr} = await alexnet(['train', pictures, '--out', run, ...small]);
	t.is(code, 1);
	t.regex(stderr, /already holds .*\.safetensors\. .*--out.* \(ALEXNET_RUN\)/);
	t.is((await stat(join(run, 'metrics.jsonl'))).mtimeMs, before.mtimeMs);
});

test.serial('evaluate measures the pictures that were held out, and all', async (t) => {
	const checkpoint = join(run, 'last.safetensors');
	const csv = join(folder, 'told.csv');
	const heldOut = await alexnet(['evaluate', checkpoint, pictures, '--json', '--csv', csv]);
	t.is(heldOut.code, 0, heldOut.stderr);
	const epochs = epochsOf(trained.stdout);
	const {loss, top1, confusion} = JSON.parse(heldOut.stdout) as {loss: number; top1: number; confusion: number[][]};
	t.deepEqual(
		confusion.map((row) => [row.length, row.reduce((sum, number) => sum + number, 0)]),
		[
			[3, 1],
			[3, 1],
			[3, 1],
		],
	);
	const [header, ...rows] = (await readFile(csv, 'utf8')).split('\r\n');
	t.is(header, 'path,label,loss,told,probability,told2,probability2,told3,probability3');
	const told = rows.slice(0, -1).map((row) => row.split(','));
	t.deepEqual(
		told.map(([path, label]) => [path, label]),
		Object.keys(colours).map((name) => [`val/${name}/0.png`, name]),
	);
	t.is(told.filter(([, label, , first]) => label === first).length, Math.round(3 * top1));
	// The same pictures through the same weights: only the batch's size differs, and with it the order of sums.
	t.is(top1, epochs.at(-1)!.validation!.top1);
	t.true(Math.abs(loss - epochs.at(-1)!.validation!.loss) < 1e-4 * Math.max(1, loss));
	const all = await alexnet(['evaluate', checkpoint, pictures, '--split', 'all', '--crops', '10']);
	t.is(all.code, 0, all.stderr);
	t.regex(all.stdout, /^24 pictures, 10 crops: loss \d+\.\d+, top-1 \d+\.\d %, the largest class alone is 33\.3 %\n$/);
	t.regex(all.stderr, /corrupt\.png/);
	t.regex(all.stderr, /^22 of them were trained on: their accuracy says little\.$/m);
});

test.serial("evaluate takes all pictures of another folder, and tells each class's results", async (t) => {
	const other = join(folder, 'other');
	await writePictures(other, {blue: [30, 40, 220], red: [220, 30, 30]}, 2);
	await writeFile(join(other, 'red', 'notes.txt'), 'no picture');
	const {code, stdout, stderr} = await alexnet(['evaluate', join(run, 'last.safetensors'), other, '--per-class']);
	t.is(code, 0, stderr);
	t.regex(
		stdout,
		/^4 pictures, 1 crop: .* the largest class alone is 50\.0 %\nclass +pictures +right +share +most often/,
	);
	for (const name of ['blue', 'red']) t.regex(stdout, new RegExp(`^${name} +2 +[0-2] +\\d+\\.0 %`, 'm'));
	t.regex(stderr, /in 2 classes: all there are\. The net knows 1 other, of which there are none here\.$/m);
	t.regex(stderr, /^1 of 5 files are left out: 1 \.txt\./m);
	t.notRegex(stderr, /trained on/);
});

test.serial('classify tells classes, and goes on after a picture that it cannot read', async (t) => {
	const [good, bad] = [join(pictures, 'val', 'green', '0.png'), join(pictures, 'train', 'red', 'corrupt.png')];
	const args = ['classify', join(run, 'best.safetensors'), bad, good, '--top', '2'];
	const text = await alexnet(args);
	t.is(text.code, 1);
	t.regex(text.stderr, /^error: Cannot read .*corrupt\.png.* \(ALEXNET_PICTURE\)$/m);
	t.regex(text.stdout, /^.*green.0\.png\n( +\d+\.\d % {2}(blue|green|red)\n){2}$/);
	const json = await alexnet([...args, '--json']);
	t.is(json.code, 1);
	const [refused, told] = JSON.parse(json.stdout) as [
		{error: {code: string}},
		{picture: string; classes: {label: string; probability: number}[]},
	];
	t.is(refused.error.code, 'ALEXNET_PICTURE');
	t.is(told.picture, good);
	t.is(told.classes.length, 2);
	const [first, second] = told.classes;
	t.true(first && second && first.probability >= second.probability && first.probability <= 1);
});

test.serial('filters writes the picture that the run has', async (t) => {
	const picture = join(folder, 'made', 'filters.png');
	const {code, stdout, stderr} = await alexnet(['filters', join(run, 'last.safetensors'), picture]);
	t.is(code, 0, stderr);
	t.is(stdout, `${picture}\n`);
	t.deepEqual(await readFile(picture), await readFile(join(run, 'filters.png')));
});

test.serial(
	'Ctrl-C ends after the current step, with a checkpoint from which --resume goes on bit for bit',
	async (t) => {
		const interrupted = join(folder, 'runs', 'interrupted');
		const {code, stdout, stderr} = await alexnet(
			['train', pictures, '--epochs', '2', '--out', interrupted, '--json', ...small],
			{when: {printed: '"step":2', send: 'SIGINT'}},
		);
		t.is(code, 130, stderr);
		t.true(stderr.includes(join(interrupted, 'last.safetensors')), stderr);
		t.true(stderr.trimEnd().endsWith(`Go on with: alexnet train ${pictures} --resume ${interrupted}`), stderr);
		const last = linesOf(stdout).at(-1)!;
		t.is(await stepOf('last.safetensors', interrupted), last.step);
		t.deepEqual(linesOf(await readFile(join(interrupted, 'metrics.jsonl'), 'utf8')), linesOf(stdout));
		const rewritten = join(pictures, 'train', 'red', '0.png');
		await utimes(rewritten, new Date(), new Date());
		const resumed = await alexnet(['train', pictures, '--resume', interrupted, '--json']);
		t.is(resumed.code, 0, resumed.stderr);
		t.true(resumed.stderr.includes(`1 picture was written after the run began, such as ${rewritten}.`), resumed.stderr);
		t.deepEqual(await differences(run, interrupted), []);
	},
);

test.serial('what contradicts the run that is resumed is refused', async (t) => {
	const refuse = async (code: string, message: RegExp, ...args: string[]): Promise<void> => {
		const ended = await alexnet(['train', pictures, '--resume', run, ...args]);
		t.is(ended.code, 1, ended.stderr);
		t.regex(ended.stderr, message);
		t.true(ended.stderr.trimEnd().endsWith(`(${code})`), ended.stderr);
	};
	await refuse(
		'ALEXNET_ARGUMENT',
		/--batch-size is 7, but the run in .* was started with 5\. Leave it out/,
		'--batch-size',
		'7',
	);
	await refuse('ALEXNET_ARGUMENT', /--no-lrn is false, but .* with true/, '--no-lrn');
	await refuse(
		'ALEXNET_ARGUMENT',
		/--epochs is 1, but .* with 2\. The number of epochs can only be raised/,
		'--epochs',
		'1',
	);
	await refuse('ALEXNET_ARGUMENT', /Leave --out out/, '--out', join(folder, 'elsewhere'));
	const others = join(folder, 'others');
	await writePictures(join(others, 'train'), {...colours, yellow: [220, 200, 30]}, 7);
	const ended = await alexnet(['train', others, '--resume', run]);
	t.regex(ended.stderr, /unknown to the model: yellow.* \(ALEXNET_LABEL\)$/m);
	await rm(join(others, 'train', 'yellow'), {recursive: true});
	await writePictures(join(others, 'val'), colours, 1);
	const fewer = await alexnet(['train', others, '--resume', run]);
	t.regex(fewer.stderr, /there are 7 training pictures of 'red' instead of 8\. .* \(ALEXNET_FOLDER\)$/m);
	const config = JSON.parse(await readFile(join(run, 'config.json'), 'utf8')) as {settings: Record<string, unknown>};
	const foreign = join(folder, 'runs', 'foreign');
	await mkdir(foreign);
	await symlink(join(run, 'last.safetensors'), join(foreign, 'last.safetensors'));
	await writeFile(
		join(foreign, 'config.json'),
		JSON.stringify({...config, settings: {...config.settings, columns: 1}}),
	);
	const other = await alexnet(['train', pictures, '--resume', foreign]);
	t.regex(other.stderr, /another net than config\.json tells of: conv1 differs.* \(ALEXNET_CHECKPOINT\)$/m);
	t.deepEqual((await readdir(foreign)).sort(), ['config.json', 'last.safetensors']);
});

test.serial('SIGTERM does the same with its own exit code', async (t) => {
	const terminated = join(folder, 'runs', 'terminated');
	const {code, stderr} = await alexnet(['train', pictures, '--epochs', '50', '--out', terminated, '--json', ...small], {
		when: {printed: '"step":1', send: 'SIGTERM'},
	});
	t.is(code, 143, stderr);
	t.true((await readdir(terminated)).includes('last.safetensors'));
});

test.serial('with --strict a corrupt picture ends the run', async (t) => {
	const {code, stdout, stderr} = await alexnet([
		'train',
		pictures,
		'--strict',
		'--out',
		join(folder, 'strict'),
		...small,
	]);
	t.is(code, 1);
	t.is(stdout, '');
	t.regex(stderr, /corrupt\.png.* \(ALEXNET_PICTURE\)$/m);
});

test.serial('a checkpoint that is cut short is refused', async (t) => {
	const cut = join(folder, 'cut.safetensors');
	await copyFile(join(run, 'config.json'), cut);
	const {code, stderr} = await alexnet(['classify', cut, join(pictures, 'val', 'red', '0.png')]);
	t.is(code, 1);
	t.regex(stderr, /cut\.safetensors.* \(ALEXNET_CHECKPOINT\)$/m);
});
