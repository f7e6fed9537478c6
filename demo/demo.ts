// The demo: AlexNet learns which of nine Unicode categories an emoji belongs to, from pictures by two artists, and is
// then shown emoji that neither artist's version of was among the pictures it learned from.
import {rm} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {parseArgs} from 'node:util';
import {AlexNet, examplePictures, ImageFolder, RunFolder, trainRun} from '../lib/index.ts';
import type {Dataset, TrainReport} from '../lib/index.ts';
import {fineTune} from './fine-tune.ts';
import {cacheBytes, fasterPrecision, percent, recipe} from './settings.ts';

const folder = join(import.meta.dirname, '..', 'runs', 'demo');

/** The learning rate is divided by 10 for the last two epochs. */
const training = {epochs: 8, divideAt: [6]};

async function demo(signal: AbortSignal): Promise<void> {
	const emoji = await examplePictures('emoji', {signal});
	const data = await ImageFolder.open(emoji.folder, {cacheBytes});
	const precision = fasterPrecision();
	await using model = await AlexNet.create({labels: data.labels, devices: 'cpu', precision, ...recipe});
	await rm(folder, {recursive: true, force: true});
	const run = await RunFolder.create(folder, {...recipe, ...training, precision, labels: data.labels});
	const {train: source, validation} = data;
	console.log(`${source.size} pictures to learn from and ${validation.size} held out, on ${model.devices.join()}.`);
	const onStop = (): void => console.log(`The net after step ${model.step} is in ${run.file('last')}.`);
	await trainRun({run, model, source, validation, ...training, signal, onReport: show, onStop});
	await showPredictions(model, validation);
	// The net after the last epoch, not the best epoch's: choosing by these pictures would flatter the result.
	const {top1} = await model.evaluate(validation, {crops: 10, signal});
	console.log(`The run is in ${folder}: checkpoints, metrics.jsonl, and conv1's kernels in filters.png.`);
	console.log(
		`held-out top-1 ${percent(top1)} (chance ${percent(1 / data.labels.length)}, largest class ${percent(emoji.largestClass)})`,
	);
}

/** A line for every tenth step and every epoch. */
function show(report: TrainReport): void {
	const {epoch, loss, top1} = report;
	if (report.type === 'epoch') {
		const heldOut = report.validation ? `, held-out top-1 ${percent(report.validation.top1)}` : '';
		console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}, top-1 ${percent(top1)}${heldOut}`);
	} else if (report.stepOfEpoch % 10 === 0) {
		console.log(`epoch ${epoch}, step ${report.stepOfEpoch} of ${report.stepsPerEpoch}: loss ${loss.toFixed(3)}`);
	}
}

/** What the net sees in a few emoji it has never met, one of each category. */
async function showPredictions(model: AlexNet, {pictures, labels}: Dataset): Promise<void> {
	console.log('Emoji it has never seen, and what it takes them for:');
	for (const [index, label] of labels.entries()) {
		const own = pictures.filter((picture) => picture.label === index);
		const picture = own[Math.floor(own.length / 2)];
		if (!picture) continue;
		const [best] = await model.classify(picture.path, {top: 1, crops: 10});
		if (!best) continue;
		const verdict = best.index === index ? 'right' : `wrong, it is ${label}`;
		console.log(`  ${glyph(picture.path)} ${best.label} ${percent(best.probability)} (${verdict})`);
	}
}

/** The emoji and whose picture it is, from "twitter-1f338.png": "🌸 by twitter". */
function glyph(path: string): string {
	const [artist = '', ...points] = basename(path, '.png').split('-');
	return `${String.fromCodePoint(...points.map((point) => Number.parseInt(point, 16)))} by ${artist}:`;
}

const interruption = new AbortController();
let interruptedAt = 0;
process.on('SIGINT', () => {
	if (!interruption.signal.aborted) {
		console.log('Ending after the current step. Press Ctrl-C again to end at once.');
		interruptedAt = performance.now();
		interruption.abort();
	} else if (performance.now() - interruptedAt > 300) {
		// Sooner it is the same Ctrl-C, which npm passes on although the terminal has sent it already.
		process.exit(130);
	}
});
try {
	const {values} = parseArgs({options: {'fine-tune': {type: 'boolean'}}});
	await (values['fine-tune'] ? fineTune : demo)(interruption.signal);
} catch (error) {
	process.exitCode = interruption.signal.aborted ? 130 : 1;
	if (error !== interruption.signal.reason) console.error(error instanceof Error ? `error: ${error.message}` : error);
}
