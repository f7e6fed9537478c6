import test from 'ava';
import {formats, fuzzImports} from '../helpers/fuzz-imports.ts';
import {fuzzCount} from '../helpers/fuzz-run.ts';

const count = fuzzCount(300);

for (const format of formats) {
	test.serial(`${count} files that went wrong are imported or refused: ${format}`, async (t) => {
		t.timeout(60_000 + count * 200);
		await fuzzImports(t, format, count);
	});
}
