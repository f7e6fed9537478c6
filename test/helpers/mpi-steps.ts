// A rank's training steps: mpi-steps.ts <file> [<batch sizes>]. Rank 0 writes what it ends with.
import {writeFile} from 'node:fs/promises';
import {serialize} from 'node:v8';
import {mpiGroup} from '../../lib/mpi.ts';
import {exchange} from '../../lib/training/together.ts';
import {distance, mixedValues, stepsOf} from './shared-steps.ts';

const [path = '', sizes = '16'] = process.argv.slice(2);
await using group = await mpiGroup();

const places = Float64Array.of(group.rank, 1);
await group.sum(places, 2);
const bytes = Uint8Array.of(group.rank, 7);
await group.broadcast(bytes);
const names = (await group.gather(Buffer.from('x'.repeat(group.rank)))).map((each) => Buffer.from(each).toString());

// Sent as bfloat16: as many as the ranks do not share evenly, fewer than ranks, and none.
const halves = [];
for (const length of [100_003, 5, 1, 0]) {
	const given = mixedValues(`rank ${group.rank}`, length);
	const summed = given.slice();
	await group.sum(summed, 0.3, 'bf16');
	halves.push(await exchange(group, () => ({given, summed})));
}

const found = [];
for (const total of sizes.split(',').map(Number)) {
	for (const [steps, wire] of [
		[1, 'fp32'],
		[10, 'fp32'],
		[10, 'bf16'],
	] as const) {
		const own = await stepsOf(group, {total, steps, wire});
		const all = await exchange(group, () => own.weights);
		const apart = Math.max(...all.map((weights) => distance(own.weights, weights)));
		found.push({total, steps, wire, own, apart});
	}
}
if (group.rank === 0) await writeFile(path, serialize({places, bytes, names, halves, found, size: group.size}));
