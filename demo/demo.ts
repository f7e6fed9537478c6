// The demo: AlexNet learns which of nine Unicode categories an emoji belongs to, from pictures by two artists, and is
// then shown emoji that neither artist's version of was among the pictures it learned from.
import {rm} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {describeError, exitCodeOf} from '../cli/exit-codes.ts';
import {percent} from '../cli/format.ts';
import {Interruptible} from '../cli/interrupt.ts';
import {Output} from '../cli/output.ts';
import {describeConfig} from '../cli/run-config.ts';
import {trainRun} from '../cli/train-run.ts';
import {AlexNet, ImageFolder, listDevices, type Dataset} from '../lib/index.ts';
import {RunFolder} from '../lib/run/run-folder.ts';
import {prepareEmoji} from './emoji.ts';

const folder = join(import.meta.dirname, '..', 'runs', 'demo');

/** All of the pictures decoded: each is decoded once. */
const cacheBytes = 2 ** 30;

/**
 * What learns these few thousand pictures within minutes: the start of the released code, small batches and a fifth of
 * the paper's learning rate, divided by 10 for the last two epochs. With the paper's start and rate the net stays at
 * chance here for longer than a demo lasts.
 */
const recipe = {init: 'source2012', batchSize: 32, learningRate: 0.002, seed: 0} as const;
const training = {epochs: 8, divideAt: [6]};

async function demo(output: Output, signal: AbortSignal): Promise<void> {
	const emoji = await prepareEmoji();
	const data = await ImageFolder.open(emoji.folder, {cacheBytes});
	// bf16 is twice as fast where the processor multiplies it, and slower where it does not.
	const precision = listDevices().some(({id, nativeBfloat16}) => id === 'cpu:0' && nativeBfloat16) ? 'bf16' : 'fp32';
	await using model = await AlexNet.create({labels: data.labels, devices: 'cpu', precision, ...recipe});
	await rm(folder, {recursive: true, force: true});
	const run = await RunFolder.create(folder, describeConfig(model, data, {...recipe, ...training, precision}));
	await trainRun({model, data, run, init: recipe.init, training, output, signal});
	await showPredictions(model, data.validation, output);
	// The net after the last epoch, not the best epoch's: choosing by these pictures would flatter the result.
	const {top1} = await model.evaluate(data.validation, {crops: 10, signal});
	output.result(`The run is in ${folder}: checkpoints, metrics.jsonl, and conv1's kernels in filters.png.`);
	output.result(
		`held-out top-1 ${percent(top1)} (chance ${percent(1 / data.labels.length)}, largest class ${percent(emoji.largestClass)})`,
	);
}

/** What the net sees in a few emoji it has never met, one of each category. */
async function showPredictions(model: AlexNet, {pictures, labels}: Dataset, output: Output): Promise<void> {
	output.result('Emoji it has never seen, and what it takes them for:');
	for (const [index, label] of labels.entries()) {
		const own = pictures.filter((picture) => picture.label === index);
		const picture = own[Math.floor(own.length / 2)];
		if (!picture) continue;
		const [best] = await model.classify(picture.path, {top: 1, crops: 10});
		if (!best) continue;
		const verdict = best.index === index ? 'right' : `wrong, it is ${label}`;
		output.result(`  ${glyph(picture.path)} ${best.label} ${percent(best.probability)} (${verdict})`);
	}
}

/** The emoji and whose picture it is, from "twitter-1f338.png": "🌸 by twitter". */
function glyph(path: string): string {
	const [artist = '', ...points] = basename(path, '.png').split('-');
	return `${String.fromCodePoint(...points.map((point) => Number.parseInt(point, 16)))} by ${artist}:`;
}

const output = new Output();
using interruptible = new Interruptible(() =>
	output.note('Ending after the current step. Press Ctrl-C again to end at once.'),
);
try {
	await demo(output, interruptible.signal);
} catch (error) {
	output.note(describeError(error));
	process.exitCode = exitCodeOf(error);
}
