// A worker thread that predicts and trains until it is terminated, or told to exit.
import {exit} from 'node:process';
import {parentPort, workerData} from 'node:worker_threads';
import {Model} from '../../lib/model.ts';
import {tinyNet} from '../../lib/selftest/networks.ts';

const {predicts, trains, device} = workerData as {predicts: boolean; trains: boolean; device: string};
parentPort!.once('message', () => exit(1)); // the code of a terminated worker
parentPort!.postMessage('loading');
const model = new Model({architecture: tinyNet(), labels: ['a', 'b', 'c'], batchSize: 4, devices: device});
await model.initialize();
const images = new Uint8Array(4 * 32 * 32 * 3).fill(100);
parentPort!.postMessage('working');
await Promise.all([
	(async () => {
		while (predicts) await model.predict(images);
	})(),
	(async () => {
		while (trains) await model.trainStep({images, labels: [0, 1, 2, 0]});
	})(),
]);
