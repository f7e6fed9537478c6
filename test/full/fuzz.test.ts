import test from 'ava';
import {fuzzCheckpoints} from '../helpers/fuzz.ts';
import {formats, fuzzImports} from '../helpers/fuzz-imports.ts';

test.serial('100,000 checkpoints that went wrong load or are refused', async (t) => fuzzCheckpoints(t, 100_000));

for (const format of formats) {
	test.serial(`100,000 files that went wrong are imported or refused: ${format}`, async (t) => {
		t.timeout(2 * 3600_000);
		await fuzzImports(t, format, 100_000);
	});
}
