// This package, through the API that users call: it cuts pictures out of bytes and subtracts the mean, which the other
// peers find done.
import {readFile} from 'node:fs/promises';
import {AlexNet} from '../../lib/index.ts';
import {packageVersion} from '../../lib/base/package.ts';
import {answer} from './node-peer.ts';
import {files} from './work.ts';

await answer(async ({folder, batchSize, threads, device, precision, work}) => {
	const {weights, bytes, labels: labelFile} = files(folder);
	const limit = device === 'cpu' ? {threads} : {};
	const model = await AlexNet.load(weights, {devices: device, precision, batchSize, ...limit});
	const all = new Uint8Array(await readFile(bytes));
	const images = work === 'inference-1' ? all.subarray(0, all.length / batchSize) : all;
	const labels = new Int32Array(new Uint8Array(await readFile(labelFile)).buffer);
	return {
		version: packageVersion,
		settings: `${model.devices.join()}, ${device === 'cpu' ? `${threads} threads` : 'one GPU'}`,
		outputs: async () => [...(await model.predict(images.subarray(0, all.length / batchSize)))],
		call: async () => {
			if (work === 'train-step') {
				await model.trainStep({images, labels});
				await model.synchronize();
			} else {
				await model.predict(images);
			}
		},
	};
});
