import test from 'ava';
import {fuzzCheckpoints} from '../helpers/fuzz.ts';
import {fuzzCount} from '../helpers/fuzz-run.ts';

const count = fuzzCount(2000);

test(`${count} checkpoints that went wrong load or are refused`, async (t) => {
	t.timeout(60_000 + count * 200);
	await fuzzCheckpoints(t, count);
});
