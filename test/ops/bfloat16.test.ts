// bf16 where the processor has no AVX-512: oneDNN has none there, and the device hands it fp32.
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import test from 'ava';

/** Runs the cases of what oneDNN computes; prints how many there are, and the failures. */
const program = `
	import {listDevices, openDevice} from './lib/device/device.ts';
	import {operations} from './lib/ops.ts';
	import {casesOf} from './lib/selftest/cases/index.ts';
	import {Workbench} from './lib/selftest/workbench.ts';
	const names = ['conv2d', 'conv2dBackwardInput', 'conv2dBackwardWeights', 'linear', 'linearBackwardInput',
		'linearBackwardWeights', 'activate', 'activateBackward'];
	const device = openDevice('cpu:0');
	let count = 0;
	for (const name of names) {
		const cases = casesOf(name).filter((one) => one.type === 'bfloat16' && !one.fillsGpu && !one.testsOnly);
		for (const {title, misaligned, prepare} of cases) {
			const bench = new Workbench(device, title, {misaligned});
			const {call, outputs} = (await prepare(bench.random))(bench, operations);
			call();
			for (const {tensor, compare} of outputs) {
				const {failure} = compare(await bench.read(tensor));
				if (failure) console.log(name, title, failure);
			}
			for (const mistake of await bench.finish()) console.log(name, title, mistake);
			bench.release();
			count++;
		}
	}
	console.log(listDevices().find(({id}) => id === 'cpu:0').nativeBfloat16, count > 40 ? 'all' : count);
`;

test('bf16 is right on a processor without AVX-512, and said to be emulated', async (t) => {
	// oneDNN's own switch: it then uses nothing beyond AVX2. Its name changed with version 2.5.
	const env = {...process.env, ONEDNN_MAX_CPU_ISA: 'AVX2', DNNL_MAX_CPU_ISA: 'AVX2'};
	const options = ['--import=tsx', '--input-type=module', '-e', program];
	const {stdout} = await promisify(execFile)(process.execPath, options, {env});
	t.is(stdout.trim(), 'false all');
});
