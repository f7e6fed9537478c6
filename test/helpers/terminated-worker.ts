// A worker thread that works on a net in one or several ways until it is terminated, or told to exit.
import {exit} from 'node:process';
import {parentPort, workerData} from 'node:worker_threads';
import {AlexNet, ImageFolder} from '../../lib/index.ts';
import {tinyNet} from '../../lib/selftest/networks.ts';

/** What one of them does, again and again. */
export type Work = 'predict' | 'step' | 'classify' | 'train';

export interface WorkerData {
	works: readonly Work[];
	device: string;
	/** Of pictures, for `train`. */
	folder: string;
	/** An encoded picture, for `classify`. */
	picture: Uint8Array;
}

const {works, device, folder, picture} = workerData as WorkerData;
parentPort!.once('message', () => exit(1)); // the code of a terminated worker
parentPort!.postMessage('loading');
const labels = ['blue', 'green', 'red'];
const model = AlexNet.uninitialized({architecture: tinyNet(), labels, batchSize: 4, devices: device});
await model.initialize();
const images = new Uint8Array(4 * 32 * 32 * 3).fill(100);

const once: Readonly<Record<Work, () => Promise<unknown>>> = {
	predict: () => model.predict(images),
	step: () => model.trainStep({images, labels: [0, 1, 2, 0]}),
	classify: () => Promise.all(Array.from({length: 2}, () => model.classify(picture))),
	train: async () => {
		const {train, validation} = await ImageFolder.open(folder, {imageSize: 32});
		model.progress = undefined;
		const loop = model.train(train, {epochs: 2, validation});
		while ((await loop.next()).done !== true);
	},
};

parentPort!.postMessage('working');
await Promise.all(
	works.map(async (work) => {
		for (;;) await once[work]();
	}),
);
