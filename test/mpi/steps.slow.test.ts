// Ranks that MPI joins learn what one process learns.
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {deserialize} from 'node:v8';
import type {Wire} from '../../lib/index.ts';
import {localGroups} from '../helpers/local-group.ts';
import {mpirun, mpiTest} from '../helpers/mpi.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {distance, stepsOf, type Steps} from '../helpers/shared-steps.ts';

const program = fileURLToPath(new URL('../helpers/mpi-steps.ts', import.meta.url));

interface Found {
	size: number;
	places: Float64Array;
	bytes: Uint8Array;
	names: string[];
	/** By lengths, then by ranks. */
	halves: {given: Float32Array; summed: Float32Array}[][];
	found: {total: number; steps: number; wire: Wire; own: Steps; apart: number}[];
}

for (const ranks of [1, 2, 3, 4]) {
	mpiTest(
		`${ranks} ranks learn as one does, of batches that divide evenly and others`,
		async (t, library) => {
			const file = join(await temporaryFolder(t), 'found');
			const {code, stderr} = await mpirun(library, ranks, [program, file, '16,13']).ended;
			t.is(code, 0, stderr);
			const {size, places, bytes, names, halves, found} = deserialize(await readFile(file)) as Found;
			t.is(size, ranks);
			t.deepEqual([...places], [ranks * (ranks - 1), 2 * ranks]);
			t.deepEqual([...bytes], [0, 7]);
			t.deepEqual(
				names,
				Array.from({length: ranks}, (_, rank) => 'x'.repeat(rank)),
			);
			for (const each of halves) {
				const expected = await sumsOf(each.map(({given}) => given));
				for (const {summed} of each)
					t.is(
						summed.findIndex((sum, place) => !Object.is(sum, expected[place])),
						-1,
					);
			}
			for (const {total, steps, wire, own, apart} of found) {
				t.is(apart, 0, 'all ranks have the same weights');
				const alone = await stepsOf(undefined, {total, steps});
				const [mine, theirs] = [alone.results.at(-1)!, own.results.at(-1)!];
				if (wire === 'bf16' && ranks > 1) {
					t.true(Math.abs(mine.loss - theirs.loss) < 5e-3);
					continue;
				}
				t.true(Math.abs(mine.loss - theirs.loss) < (steps === 1 ? 1e-5 : 1e-3));
				if (steps === 1) t.true(distance(alone.gradients, own.gradients) < 2e-5);
				t.true(distance(alone.weights, own.weights) < 1e-4);
			}
		},
		{first: ranks !== 3},
	);
}

/** By the definition (test/helpers/local-group.ts): rounded when sent, added up in fp32 in the order of the ranks, rounded. */
async function sumsOf(given: readonly Float32Array[]): Promise<Float32Array> {
	const values = given.map((each) => each.slice());
	await Promise.all(localGroups(given.length).map((group, rank) => group.sum(values[rank]!, 0.3, 'bf16')));
	return values[0]!;
}
