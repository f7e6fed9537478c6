// How long a device takes for a stretch of its queue.
import test from 'ava';
import {openDevice} from '../../lib/device/device.ts';
import {native} from '../../lib/device/native.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {isSimulated} from '../../lib/selftest/facts.ts';
import {forEachDevice} from '../helpers/devices.ts';

const elements = 2 ** 20;

function filled(device: NativeDevice, value: number): [Tensor, Tensor] {
	const [input, output] = [device.allocate([elements], 'float32'), device.allocate([elements], 'float32')];
	native.fill({output: input, value});
	return [input, output];
}

forEachDevice('timed takes longer for more work, or says that nothing can tell', async (t, {device}) => {
	const [input, output] = filled(device, 3);
	const copies = (count: number) => (): void => {
		for (let turn = 0; turn < count; ++turn) native.copy({input, output});
	};
	if (isSimulated(device.id)) {
		await t.throwsAsync(device.timed(copies(1)), {
			code: 'ALEXNET_OPERATION',
			message: /^timed: cudaEventElapsedTime on cuda:\d: simulator: a simulated GPU has no clock: nothing can be timed/,
		});
	} else {
		await device.timed(copies(1));
		const [nothing, few, many] = [
			await device.timed(() => undefined),
			await device.timed(copies(4)),
			await device.timed(copies(400)),
		];
		t.true(nothing >= 0 && nothing < few && few < many, `${nothing} ${few} ${many}`);
	}
	// What was timed has run, in order with what comes next.
	const values = new Float32Array(elements);
	await output.read(values);
	t.true(values.every((value) => value === 3));
	for (const tensor of [input, output]) tensor.dispose();
});

forEachDevice('timed fails with what it times, and with its function', async (t, {device}) => {
	const labels = device.allocate([1], 'int32');
	labels.write(Int32Array.of(7));
	const [logits, result] = [device.allocate([1, 2], 'float32'), device.allocate([3], 'float32')];
	native.fill({output: logits, value: 0});
	const failing = device.timed(() => native.softmaxLoss({logits, labels, result}));
	await t.throwsAsync(failing, {code: 'ALEXNET_LABEL'});
	t.throws(
		() =>
			device.timed(() => {
				throw new RangeError('its own');
			}),
		{instanceOf: RangeError, message: 'its own'},
	);
	t.throws(() => device.timed(5 as never), {code: 'ALEXNET_ARGUMENT'});
	await device.synchronize();
	for (const tensor of [labels, logits, result]) tensor.dispose();
});

test('timed on a closed device says so', (t) => {
	const device = openDevice('cpu');
	device.close();
	t.throws(() => device.timed(() => undefined), {code: 'ALEXNET_DISPOSED'});
});
