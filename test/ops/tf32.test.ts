// Products in TF32: who has them, and that they are what they say. Their values are compared with the definition where
// the operations' cases are (lib/selftest/cases/).
import test from 'ava';
import {listDevices} from '../../lib/device/device.ts';
import {operations} from '../../lib/ops.ts';
import {Model} from '../../lib/net/model.ts';
import {toTf32} from '../../lib/selftest/tf32.ts';
import {forEachDevice, hasTf32, testOn} from '../helpers/devices.ts';
import {tinyLabels, tinyNet} from '../helpers/networks.ts';

test('TF32 has ten bits of fraction, and halves are rounded away from zero', (t) => {
	for (const sign of [1, -1]) {
		t.is(toTf32(sign * (1 + 2 ** -10)), sign * (1 + 2 ** -10));
		t.is(toTf32(sign * (1 + 2 ** -11)), sign * (1 + 2 ** -10));
		t.is(toTf32(sign * (1 + 2 ** -11 - 2 ** -23)), sign);
		t.is(toTf32(sign * (2 - 2 ** -23)), sign * 2);
		t.is(toTf32(sign * Infinity), sign * Infinity);
	}
	t.is(toTf32(NaN), NaN);
	t.is(toTf32(2 ** -126), 2 ** -126);
});

forEachDevice('who has no TF32 refuses it at once, and nobody takes it for bf16', async (t, {device}) => {
	for (const dataType of ['float32', 'bfloat16'] as const) {
		const [input, weights, output] = [
			device.allocate([3, 8], dataType),
			device.allocate([5, 8], dataType),
			device.allocate([3, 5], dataType),
		] as const;
		operations.fill({output: input, value: 1});
		operations.fill({output: weights, value: 1});
		const call = (): void => operations.linear({input, weights, output, tf32: true});
		if (dataType === 'bfloat16') {
			t.throws(call, {code: 'ALEXNET_ARGUMENT', message: 'linear: tf32 goes with float32 tensors only.'});
		} else if (device.hasTf32) {
			t.notThrows(call);
		} else {
			t.throws(call, {code: 'ALEXNET_DEVICE', message: /^linear: \w+:0 does not multiply in TF32, which takes a GPU/});
		}
		operations.linear({input, weights, output, tf32: false});
		await device.synchronize();
		for (const tensor of [input, weights, output]) tensor.dispose();
	}
});

// 1 + 2^-12 is 1 in TF32: a product of tensor cores is exact, one of FP32 units is not.
forEachDevice(
	'what suits tensor cores is multiplied there, and what does not in fp32',
	async (t, {device}) => {
		for (const [inputs, isRounded] of [
			[64, true],
			[63, false],
		] as const) {
			const input = device.allocate([32, inputs], 'float32');
			const weights = device.allocate([16, inputs], 'float32');
			const output = device.allocate([32, 16], 'float32');
			input.write(new Float32Array(32 * inputs).fill(1 + 2 ** -12));
			operations.fill({output: weights, value: 1});
			operations.linear({input, weights, output, tf32: true});
			const sums = new Float32Array(32 * 16);
			await output.read(sums);
			for (const sum of sums) t.is(sum, inputs * (isRounded ? 1 : 1 + 2 ** -12));
			for (const tensor of [input, weights, output]) tensor.dispose();
		}
	},
	{tf32: true},
);

for (const {id} of listDevices().filter((device) => !hasTf32(device.id))) {
	testOn([id], `a net in tf32 is refused where there is none [${id}]`, (t) => {
		const make = (): Model => new Model({architecture: tinyNet(), labels: tinyLabels, devices: id, precision: 'tf32'});
		t.throws(make, {
			code: 'ALEXNET_DEVICE',
			message: `${id} has no TF32, which takes a GPU of compute capability 8.0 or newer. Use precision 'fp32' or 'bf16' there.`,
		});
	});
}
