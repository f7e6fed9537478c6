// The cases of operations (lib/selftest/cases/), those for tests alone among them, as tests on every device.
import {operations} from '../../lib/ops.ts';
import {casesOf} from '../../lib/selftest/cases/index.ts';
import type {CheckedOperation} from '../../lib/selftest/operation-case.ts';
import {forEachDevice} from './devices.ts';

export function testCases(...names: readonly CheckedOperation[]): void {
	for (const name of names) {
		// What only fills a GPU is for a selftest of one.
		for (const {title, type, tf32, misaligned, prepare} of casesOf(name).filter(({fillsGpu}) => !fillsGpu)) {
			forEachDevice(
				`${name} ${type}: ${title}`,
				async (t, bench) => {
					const run = await prepare(bench.random);
					const {call, outputs} = run(bench, operations);
					call();
					for (const {tensor, compare} of outputs) {
						const {failure} = compare(await bench.read(tensor));
						if (failure !== undefined) t.fail(failure);
					}
				},
				{misaligned, tf32},
			);
		}
	}
}
