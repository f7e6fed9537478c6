import test from 'ava';
import {formats, fuzzImports} from '../helpers/fuzz-imports.ts';

for (const format of formats) {
	test.serial(`300 files that went wrong are imported or refused: ${format}`, async (t) => fuzzImports(t, format, 300));
}
