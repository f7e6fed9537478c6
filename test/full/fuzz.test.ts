import test from 'ava';
import {fuzzCheckpoints} from '../helpers/fuzz.ts';
import {formats, fuzzImports} from '../helpers/fuzz-imports.ts';

/** On a busy machine; alone each takes 20 to 40 minutes. */
const longest = 2 * 3600_000;

test.serial('100,000 checkpoints that went wrong load or are refused', async (t) => {
	t.timeout(longest);
	await fuzzCheckpoints(t, 100_000);
});

for (const format of formats) {
	test.serial(`100,000 files that went wrong are imported or refused: ${format}`, async (t) => {
		t.timeout(longest);
		await fuzzImports(t, format, 100_000);
	});
}
