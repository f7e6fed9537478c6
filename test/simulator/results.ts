// Runs the cases that a selftest runs on cuda:0 and prints a digest of the bits of what each writes: [name, digest] in
// JSON, line by line. A child process of schedules.slow.test.ts.
import {createHash} from 'node:crypto';
import {openDevice, operations} from '../../lib/ops.ts';
import {operationCases} from '../../lib/selftest/cases/index.ts';
import {Random} from '../../lib/selftest/random.ts';
import {Workbench} from '../../lib/selftest/workbench.ts';

const device = openDevice('cuda:0');
for (const [operation, cases] of operationCases()) {
	for (const {title, type, misaligned, prepare} of cases.filter(({fillsGpu}) => !fillsGpu)) {
		const name = `${operation} ${type}: ${title}`;
		const run = await prepare(new Random(name));
		const bench = new Workbench(device, name, {misaligned});
		const {call, outputs} = run(bench, operations);
		call();
		const hash = createHash('sha256');
		for (const {tensor} of outputs) hash.update(new Uint8Array((await bench.read(tensor)).buffer));
		console.log(JSON.stringify([name, hash.digest('hex')]));
		bench.release();
	}
}
device.close();
