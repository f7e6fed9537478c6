// How much speed is kept beside busy processes: that it is measured, not how much it is.
import test from 'ava';
import type {SharedRow} from '../../benchmarks/shared-machine.ts';
import {alexnet} from '../helpers/command.ts';

test('bench tells how much speed is kept beside busy processes', async (t) => {
	const args = ['bench', 'shared-machine', '--batch-size', '2', '--repetitions', '1', '--json'];
	const {code, stdout, stderr} = await alexnet(args);
	t.is(code, 0, stderr);
	const rows = JSON.parse(stdout) as SharedRow[];
	t.deepEqual(
		rows.map(({trial, batchSize}) => [trial, batchSize]),
		[
			['inference', 1],
			['train-step', 2],
		],
	);
	for (const {trial, neighbours, aloneMs, besideMs, speedKept} of rows) {
		t.true(Number.isInteger(neighbours) && neighbours >= 1, trial);
		t.true(aloneMs > 0 && besideMs > 0, trial);
		t.is(speedKept, aloneMs / besideMs, trial);
	}
});
