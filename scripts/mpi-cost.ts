// What averaging gradients costs two ranks, and how much of it the backward pass hides:
//   mpirun --bind-to core -n 2 node --import=tsx scripts/mpi-cost.ts [pictures of a rank]
// Of the paper's net at 1000 classes, in fp32, with gradients sent in either type; the least of several rounds.
import {AlexNet, type AlexNetOptions} from '../lib/index.ts';
import {mpiGroup, type MpiGroup} from '../lib/mpi.ts';
import {bytesOfValue} from '../lib/scaling/data-parallel.ts';

const pictures = Number(process.argv[2] ?? '16');
const rounds = 3;
const options = {classes: 1000, devices: 'cpu', threads: 1, learningRate: 0} as const;

/** Seconds of the fastest round, all ranks beginning together. */
async function secondsOf(group: MpiGroup, work: () => Promise<unknown>): Promise<number> {
	let least = Infinity;
	for (let round = 0; round <= rounds; ++round) {
		await group.gather(new Uint8Array());
		const start = performance.now();
		await work();
		await group.gather(new Uint8Array());
		if (round > 0) least = Math.min(least, (performance.now() - start) / 1000); // the first sets things up
	}
	return least;
}

/** Seconds of a training step, with these options besides those that all models have. */
async function stepWith(group: MpiGroup, more: AlexNetOptions): Promise<number> {
	await using model = await AlexNet.create({...options, ...more});
	const images = new Uint8Array(pictures * 256 * 256 * 3).fill(100 + group.rank);
	const labels = Int32Array.from({length: pictures}, (_, index) => index);
	return await secondsOf(group, () => model.trainStep({images, labels, epoch: 1}));
}

await using group = await mpiGroup();
const count = await (async () => {
	await using model = await AlexNet.create(options);
	return model.parameters.reduce((sum, {elements}) => sum + elements, 0);
})();
const values = new Float32Array(count);
const alone = await stepWith(group, {});
const say = (text: string): void => {
	if (group.rank === 0) console.log(text);
};
say(
	`${group.library.split(',')[0] ?? ''}, ${group.size} ranks, ${pictures} pictures each: step alone ${alone.toFixed(3)} s`,
);
for (const wire of ['fp32', 'bf16'] as const) {
	const reduction = await secondsOf(group, () => group.sum(values, 1 / group.size, wire));
	const together = await stepWith(group, {group, wire});
	const bytes = count * bytesOfValue[wire];
	const more = Math.max(0, together - alone);
	say(
		`${(bytes / 1e6).toFixed(0)} MB of gradients in ${wire}: ${reduction.toFixed(3)} s, ` +
			`${((reduction / bytes) * 1e9).toFixed(2)} ns a byte; step together ${together.toFixed(3)} s: ${more.toFixed(3)} s more`,
	);
}
