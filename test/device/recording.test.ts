// Work that is recorded once and queued again: the same as if it were queued by its calls each time.
import {native} from '../../lib/device/native.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {forEachDevice, forEachPair} from '../helpers/devices.ts';
import {bytesOfTensor} from '../../lib/device/memory.ts';

/** Enough for what a GPU does the first time, when it captures a graph, and afterwards. */
const turns = 5;

async function valuesOf(tensor: Tensor): Promise<Float32Array> {
	const values = new Float32Array(bytesOfTensor(tensor.shape, 'float32') / 4);
	await tensor.read(values);
	return values;
}

function tensorsOn(device: NativeDevice, count: number): Tensor[] {
	return Array.from({length: count}, () => device.allocate([64, 32], 'float32'));
}

forEachDevice('replays are as the calls: inputs that change, dropouts of each step', async (t, {device, random}) => {
	const [input, dropped, sum, again] = tensorsOn(device, 4) as [Tensor, Tensor, Tensor, Tensor];
	const mask = {rate: 0.5, seed: random.integer(2 ** 30), layer: 1, features: 32};
	const work = (step: number) => (): void => {
		native.dropout({input, output: dropped, step, ...mask});
		native.add({input: dropped, addend: input, output: sum});
		native.dropout({input: sum, output: again, step, ...mask, layer: 2});
	};
	const recording = new native.Recording([device], work(77));
	for (let turn = 0; turn < turns; ++turn) {
		input.write(Float32Array.from({length: 64 * 32}, () => random.integer(100) - 50));
		const step = turn === 2 ? 2 ** 32 - 1 : random.integer(1000);
		recording.replay({step});
		const replayed = await valuesOf(again);
		native.fill({output: again, value: -1});
		work(step)();
		t.deepEqual(await valuesOf(again), replayed, `turn ${turn}`);
		t.true(replayed.includes(0) && replayed.some((value) => value !== 0));
	}
	recording.dispose();
	for (const tensor of [input, dropped, sum, again]) tensor.dispose();
});

forEachDevice(
	'what is replayed is in the order of the queue, several times without a wait between',
	async (t, bench) => {
		const {device} = bench;
		const [one, sum] = tensorsOn(device, 2) as [Tensor, Tensor];
		native.fill({output: one, value: 1});
		native.fill({output: sum, value: 0});
		const recording = new native.Recording([device], () => {
			native.add({input: sum, addend: one, output: sum});
			native.add({input: sum, addend: sum, output: sum});
		});
		let expected = 0;
		for (let turn = 0; turn < 7; ++turn) {
			if (turn === 4) {
				native.fill({output: one, value: 3});
				native.add({input: sum, addend: one, output: sum});
				expected += 3;
			}
			recording.replay({step: 0});
			expected = 2 * (expected + (turn < 4 ? 1 : 3));
		}
		t.true((await valuesOf(sum)).every((value) => value === expected));
		recording.dispose();
		for (const tensor of [one, sum]) tensor.dispose();
	},
);

forEachDevice(
	'a wrong label fails a replay with its code, nothing after it runs, and the next replay works',
	async (t, bench) => {
		const {device} = bench;
		const labels = device.allocate([2], 'int32');
		const [logits, result, after] = [
			device.allocate([2, 3], 'float32'),
			device.allocate([3], 'float32'),
			device.allocate([1], 'float32'),
		];
		native.fill({output: logits, value: 0});
		native.fill({output: after, value: 0});
		const recording = new native.Recording([device], () => {
			native.softmaxLoss({logits, labels, result});
			native.add({input: after, addend: after, output: after});
		});
		for (let turn = 0; turn < 2 * turns; ++turn) {
			labels.write(Int32Array.of(2, turn % 2 === 0 ? 1 : 3));
			native.fill({output: after, value: turn});
			recording.replay({step: 0});
			const message = /^softmaxLoss: label 3 of picture 1 is not one of the classes 0 to 2\.$/;
			if (turn % 2 === 1) await t.throwsAsync(device.synchronize(), {code: 'ALEXNET_LABEL', message});
			t.deepEqual([...(await valuesOf(after))], [turn % 2 === 0 ? 2 * turn : turn]);
		}
		recording.dispose();
		for (const tensor of [labels, logits, result, after]) tensor.dispose();
	},
);

forEachDevice('scratch memory that moves after a capture', async (t, {device}) => {
	const [small, large] = [8, 96].map((side) => {
		const input = device.allocate([4, side, side, 8], 'float32');
		const outputGradient = device.allocate([4, side, side, 8], 'float32');
		const weightGradient = device.allocate([8, 3, 3, 8], 'float32');
		for (const output of [input, outputGradient]) native.fill({output, value: 1});
		return {input, outputGradient, weightGradient, pads: [1, 1, 1, 1] as const};
	}) as [Parameters<typeof native.conv2dBackwardWeights>[0], Parameters<typeof native.conv2dBackwardWeights>[0]];
	const recording = new native.Recording([device], () => {
		native.conv2dBackwardWeights(small);
		native.add({input: small.weightGradient, addend: small.weightGradient, output: small.weightGradient});
	});
	const digests = [];
	for (let turn = 0; turn < turns; ++turn) {
		if (turn === 3) native.conv2dBackwardWeights(large);
		recording.replay({step: 0});
		digests.push(await valuesOf(small.weightGradient));
	}
	for (const values of digests) t.deepEqual(values, digests[0]);
	t.is(digests[0]?.[4 * 8], 2 * 4 * 8 * 8); // the window's middle sees every pixel
	recording.dispose();
	for (const {input, outputGradient, weightGradient} of [small, large]) {
		for (const tensor of [input, outputGradient, weightGradient]) tensor.dispose();
	}
});

forEachDevice('what cannot be recorded is refused, and the device goes on', async (t, {device}) => {
	const [first, second] = tensorsOn(device, 2) as [Tensor, Tensor];
	const event = device.record();
	const whole = new native.Recording([device], () => {
		native.fill({output: first, value: 2});
	});
	for (const [work, message] of [
		[() => first.write(new Float32Array(64 * 32)), /^write cannot be recorded/],
		[() => void first.read(new Float32Array(64 * 32)), /^read cannot be recorded/],
		[() => void device.synchronize(), /^synchronize cannot be recorded/],
		[() => void device.record(), /^record cannot be recorded/],
		[() => device.wait(event), /^wait: a recording holds waits for events of what it sends itself/],
		[() => whole.replay({step: 0}), /^replay cannot be recorded/],
		[() => new native.Recording([device], () => undefined), /is being recorded already/],
	] as const) {
		t.throws(() => new native.Recording([device], () => void work()), {code: 'ALEXNET_ARGUMENT', message});
	}
	const own = new RangeError('its own');
	const failing = (): never => {
		throw own;
	};
	t.is(
		t.throws(() => new native.Recording([device], failing)),
		own,
	);
	for (const wrong of [[], [{}], 'cuda:0', [device, null]] as never[]) {
		t.throws(() => new native.Recording(wrong, () => undefined), {code: 'ALEXNET_ARGUMENT'});
	}
	t.throws(() => new native.Recording([device], 5 as never), {code: 'ALEXNET_ARGUMENT'});
	for (const step of [-1, 0.5, 2 ** 32, '1'] as never[]) {
		t.throws(() => whole.replay({step}), {code: 'ALEXNET_ARGUMENT'});
	}
	const wrongShape = (): void => native.add({input: first, addend: second, output: first.view([32, 64], 'float32')});
	t.throws(() => new native.Recording([device], wrongShape), {code: 'ALEXNET_SHAPE'});
	whole.replay({step: 0});
	t.true((await valuesOf(first)).every((value) => value === 2));
	whole.dispose();
	whole.dispose();
	t.throws(() => whole.replay({step: 0}), {code: 'ALEXNET_DISPOSED'});
	for (const tensor of [first, second]) tensor.dispose();
});

forEachDevice('a recording holds its tensors, until it is disposed of', async (t, {device}) => {
	const before = device.memory().bytes;
	const tensor = device.allocate([1024], 'float32');
	const recording = new native.Recording([device], () => {
		native.fill({output: tensor, value: 1});
		native.add({input: tensor, addend: tensor, output: tensor});
	});
	const view = tensor.view([1024], 'float32');
	tensor.dispose();
	for (let turn = 0; turn < turns; ++turn) recording.replay({step: 0});
	t.true((await valuesOf(view)).every((value) => value === 2));
	view.dispose();
	await device.synchronize();
	t.is(device.memory().bytes, before + 4096);
	recording.replay({step: 0});
	recording.dispose();
	await device.synchronize();
	t.is(device.memory().bytes, before);
});

forEachPair('two devices exchange in each replay', async (t, [first, second]) => {
	const [one, sum] = tensorsOn(first, 2) as [Tensor, Tensor];
	const [landing, doubled] = tensorsOn(second, 2) as [Tensor, Tensor];
	const back = tensorsOn(first, 1)[0]!;
	native.fill({output: one, value: 1});
	native.fill({output: sum, value: 0});
	const recording = new native.Recording([first, second], () => {
		native.add({input: sum, addend: one, output: sum});
		native.add({input: sum, addend: one, output: sum});
		const sent = native.send({input: sum, output: landing});
		first.wait(sent);
		second.wait(sent);
		native.add({input: landing, addend: landing, output: doubled});
		native.add({input: doubled, addend: landing, output: doubled});
		native.copy({input: doubled, output: back});
		native.add({input: back, addend: one, output: sum});
		native.add({input: sum, addend: one, output: sum});
	});
	let expected = 0;
	for (let turn = 0; turn < 6; ++turn) {
		recording.replay({step: 0});
		expected = 3 * (expected + 2) + 2;
	}
	t.true((await valuesOf(sum)).every((value) => value === expected));
	await second.synchronize();
	recording.dispose();
	for (const tensor of [one, sum, landing, doubled, back]) tensor.dispose();
});

forEachPair('a send between a device that is recorded and one that is not', async (t, [first, second]) => {
	const [input, output] = [tensorsOn(first, 1)[0]!, tensorsOn(second, 1)[0]!];
	t.throws(() => new native.Recording([first], () => void native.send({input, output})), {
		code: 'ALEXNET_ARGUMENT',
		message: /^send: one of the devices is being recorded/,
	});
	await Promise.all([first.synchronize(), second.synchronize()]);
	for (const tensor of [input, output]) tensor.dispose();
});

forEachDevice(
	'what a net needs counts passes that are recorded, where a device makes graphs of them',
	(t, {device}) => {
		const more = device.needOf([4096], 10) - device.needOf([4096]);
		t.is(more, device.id.startsWith('cuda') ? 10 * 2 ** 18 : 0);
		t.throws(() => device.needOf([4096], -1), {code: 'ALEXNET_ARGUMENT'});
		return Promise.resolve();
	},
);
