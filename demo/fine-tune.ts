// Fine-tuning: a net that has learned one artist's emoji learns the other's, beside one that begins from scratch. Both make
// the same number of steps on the same pictures; which emoji are held out is the same for both artists.
import {existsSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {AlexNet, Dataset, examplePictures, ImageFolder, type AlexNetOptions} from '../lib/index.ts';
import {cacheBytes, fasterPrecision, percent, recipe} from './settings.ts';

const folder = join(import.meta.dirname, '..', 'runs', 'fine-tune');

/** The first artist's pictures are learned for so long, the second's only for a short time: there pictures are few. */
const [firstEpochs, epochs] = [2, 1];

interface Pictures {
	readonly train: Dataset;
	readonly validation: Dataset;
}

export async function fineTune(signal: AbortSignal): Promise<void> {
	const emoji = await ImageFolder.open((await examplePictures('emoji', {signal})).folder);
	const [first, second] = [picturesBy('google', emoji), picturesBy('twitter', emoji)];
	const options = {...recipe, devices: 'cpu', precision: fasterPrecision(), labels: emoji.labels};
	const checkpoint = join(folder, 'google.safetensors');
	if (!existsSync(checkpoint)) await teach(first, options, checkpoint, signal);

	console.log(`Another learns ${second.train.size} emoji by Twitter from scratch. Epochs: ${epochs}.`);
	await using scratch = await AlexNet.create(options);
	const alone = await learn(scratch, second, {epochs, signal});
	await scratch.dispose();

	console.log('A third learns the same with the first one’s weights and a new last layer.');
	const {batchSize, seed, devices, precision, labels} = options;
	await using tuned = await AlexNet.from(checkpoint, {batchSize, seed, devices, precision, labels});
	const taught = await learn(tuned, second, {epochs, signal});
	console.log(
		`held-out top-1 after ${tuned.step} steps on emoji by Twitter: from scratch ${percent(alone)}, fine-tuned ${percent(taught)}`,
	);
}

/** Kept for later runs. */
async function teach(
	pictures: Pictures,
	options: AlexNetOptions,
	checkpoint: string,
	signal: AbortSignal,
): Promise<void> {
	console.log(`A net learns ${pictures.train.size} emoji by Google. Epochs: ${firstEpochs}.`);
	await using teacher = await AlexNet.create(options);
	await learn(teacher, pictures, {epochs: firstEpochs, signal});
	await mkdir(folder, {recursive: true});
	await teacher.save(checkpoint, {momentum: false});
}

function picturesBy(artist: string, emoji: Pictures): Pictures {
	const only = ({labels, pictures}: Dataset): Dataset => {
		const own = pictures.filter(({path}) => basename(path).startsWith(`${artist}-`));
		return new Dataset({labels, pictures: own, cacheBudget: {bytes: cacheBytes / 4}});
	};
	return {train: only(emoji.train), validation: only(emoji.validation)};
}

/** @returns top-1 on the held-out pictures after the last epoch */
async function learn(
	model: AlexNet,
	{train, validation}: Pictures,
	options: {epochs: number; signal: AbortSignal},
): Promise<number> {
	let top1 = NaN;
	for await (const report of model.train(train, {...options, validation})) {
		if (report.type === 'step') continue;
		top1 = report.validation?.top1 ?? NaN;
		console.log(`  epoch ${report.epoch}: loss ${report.loss.toFixed(3)}, held-out top-1 ${percent(top1)}`);
	}
	return top1;
}
