// What happens to bf16 where the processor cannot do it.
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import test from 'ava';

const convolution = `
	import {openDevice} from './lib/device/device.ts';
	import {operations} from './lib/ops.ts';
	const device = openDevice('cpu:0');
	const [input, weights, output] = [[1, 3, 3, 8], [8, 3, 3, 8], [1, 1, 1, 8]].map((shape) => device.allocate(shape, 'bfloat16'));
	operations.conv2d({input, weights, output, pads: [0, 0, 0, 0]});
	await device.synchronize().catch(({code, message}) => console.log(code, message));
`;

test('a processor without AVX-512 is said to have no bf16', async (t) => {
	// oneDNN's own switch: it then uses nothing beyond AVX2. Its name changed with version 2.5.
	const env = {...process.env, ONEDNN_MAX_CPU_ISA: 'AVX2', DNNL_MAX_CPU_ISA: 'AVX2'};
	const child = promisify(execFile)(process.execPath, ['--import=tsx', '--input-type=module', '-e', convolution], {
		env,
	});
	const {stdout} = await child;
	t.is(
		stdout.trim(),
		'ALEXNET_DATA_TYPE conv2d: bf16 needs a processor with AVX-512, which this one has not. Use fp32.',
	);
});
