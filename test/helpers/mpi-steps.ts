// A rank's training steps: mpi-steps.ts <file> [<batch sizes>]. Rank 0 writes what it ends with.
import {writeFile} from 'node:fs/promises';
import {serialize} from 'node:v8';
import {mpiGroup} from '../../lib/mpi.ts';
import {exchange} from '../../lib/training/together.ts';
import {distance, stepsOf} from './shared-steps.ts';

const [path = '', sizes = '16'] = process.argv.slice(2);
await using group = await mpiGroup();

const places = Float64Array.of(group.rank, 1);
await group.sum(places, 2);
const bytes = Uint8Array.of(group.rank, 7);
await group.broadcast(bytes);
const names = (await group.gather(Buffer.from('x'.repeat(group.rank)))).map((each) => Buffer.from(each).toString());

const found = [];
for (const total of sizes.split(',').map(Number)) {
	for (const steps of [1, 10]) {
		const own = await stepsOf(group, {total, steps});
		const all = await exchange(group, () => own.weights);
		found.push({total, steps, own, apart: Math.max(...all.map((weights) => distance(own.weights, weights)))});
	}
}
if (group.rank === 0) await writeFile(path, serialize({places, bytes, names, found, size: group.size}));
