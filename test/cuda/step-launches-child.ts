// How often a GPU that lists launches and runs none is asked for work: JSON of the lists of steps of the paper's net at
// batch 128, then of predictions of one picture.
import {readFileSync} from 'node:fs';
import {argv, stdout} from 'node:process';
import {alexnet} from '../../lib/net/alexnet.ts';
import {Model} from '../../lib/net/model.ts';
import type {Precision} from '../../lib/net/options.ts';

/** A kernel by name and device, or a graph of so many nodes. */
export type Listed = {name: string} | {graph: number};

export interface Lists {
	steps: Listed[][];
	predictions: Listed[][];
}

const [precision, list, ...devices] = argv.slice(2) as [Precision, string, ...string[]];
const batchSize = 128;
const architecture = alexnet({classes: 1000});
const labels = Array.from({length: 1000}, (_, index) => `class ${index}`);
await using model = new Model({architecture, labels, devices, precision, batchSize});
await model.initialize();
let seen = 0;
async function listOf(work: () => Promise<unknown>): Promise<Listed[]> {
	await work();
	const lines = readFileSync(list, 'utf8').trimEnd().split('\n').slice(seen);
	seen += lines.length;
	return lines.map((line) => JSON.parse(line) as Listed);
}
const images = new Uint8Array(batchSize * architecture.imageSize ** 2 * 3);
const batch = {images, labels: new Int32Array(batchSize)};
await listOf(() => model.synchronize());
const lists: Lists = {steps: [], predictions: []};
for (let step = 0; step < 5; ++step)
	lists.steps.push(await listOf(() => model.trainStep(batch).then(() => model.synchronize())));
const one = images.subarray(0, architecture.imageSize ** 2 * 3);
for (let turn = 0; turn < 4; ++turn) lists.predictions.push(await listOf(() => model.predict(one)));
stdout.write(JSON.stringify(lists));
