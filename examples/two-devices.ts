// The paper's two columns on two devices, a column each, which meet where layers read both (paper 3.2, figure 2).
//
//   npx tsx examples/two-devices.ts cuda:0 cuda:1
//
// Without names it takes two CPU devices, which share the cores: not faster, but it exchanges as two GPUs do.
import {AlexNet, listDevices} from 'alexnet-cuda';

const named = process.argv.slice(2);
const devices = named.length > 0 ? named : ['cpu:0', 'cpu:1'];

// GPUs that reach each other's memory exchange directly, others by way of the host. Nothing in the code changes.
for (const {id, name, peers} of listDevices())
	console.log(`${id}: ${name}${peers ? `, reaches ${peers.join(', ')}` : ''}`);

const seed = 2012;
const options = {classes: 10, batchSize: 2, seed, dropout: 0};
await using one = await AlexNet.create({...options, devices: devices.slice(0, 1)});
await using two = await AlexNet.create({...options, devices});

// Random pictures: what matters here is that both nets see the same.
const side = one.architecture.imageSize;
const images = Uint8Array.from({length: options.batchSize * side * side * 3}, () => Math.floor(256 * Math.random()));
const labels = Int32Array.from({length: options.batchSize}, () => Math.floor(10 * Math.random()));

// A seed gives the same weights wherever they lie, so the losses differ by rounding alone.
for (let step = 1; step <= 2; ++step) {
	const [alone, together] = [await one.trainStep({images, labels}), await two.trainStep({images, labels})];
	console.log(
		`step ${step}: loss ${alone.loss.toFixed(4)} on one device, ${together.loss.toFixed(4)} on ${devices.join(' and ')}`,
	);
}
