// The comparison with other programs: they compute the same net, and who is not here is said to be missing.
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';

const script = fileURLToPath(new URL('../../scripts/peers/run.ts', import.meta.url));

interface Row {
	peer: string;
	medianMs: number;
	imagesPerSecond: number;
	difference: number;
}

test('peers give the same probabilities, and all are timed', async (t) => {
	const given = ['--work=inference-1', '--batch-size=2', '--rounds=2', '--python=/nowhere/python3', '--json'];
	const {stdout, stderr} = await promisify(execFile)(process.execPath, ['--import=tsx', script, ...given]);
	const rows = JSON.parse(stdout) as Row[];
	t.deepEqual(
		rows.map(({peer}) => peer),
		['alexnet-cuda', 'ONNX Runtime', 'ONNX Runtime, tuned'],
	);
	for (const {medianMs, imagesPerSecond, difference} of rows) {
		t.true(medianMs > 0);
		t.is(imagesPerSecond, 1000 / medianMs);
		t.true(difference < 1e-5);
	}
	t.true(
		rows.slice(1).every(({difference}) => difference > 0),
		'other programs add up in another order',
	);
	t.regex(stderr, /PyTorch takes no part: \/nowhere\/python3 cannot be started/);
});
