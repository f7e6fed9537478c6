// What happens when devices and tensors end while others still use them.
import {setImmediate as turn, setTimeout as sleep} from 'node:timers/promises';
import {getHeapStatistics} from 'node:v8';
import test from 'ava';
import {cudaAvailability, openDevice} from '../../lib/device/device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {queueFailure, queueWork} from '../helpers/queue-work.ts';

async function readAll(tensor: Tensor): Promise<Float32Array> {
	const values = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
	await tensor.read(values);
	return values;
}

test('devices that cannot be opened', (t) => {
	for (const id of ['gpu', 'cpu:', 'cpu:-1', 'cpu:x', 'CPU', '', 'cuda:0:1', 'cpu:100000']) {
		t.throws(() => openDevice(id), {code: 'ALEXNET_DEVICE'}, id);
	}
	t.throws(() => openDevice('cpu', {threads: -1}), {code: 'ALEXNET_ARGUMENT', message: /^threads must be/});
	const {reason, message} = cudaAvailability();
	if (reason === 'available') t.throws(() => openDevice('cuda:1000'), {code: 'ALEXNET_DEVICE'});
	else t.true(t.throws(() => openDevice('cuda:0'), {code: 'ALEXNET_DEVICE'}).message.includes(message));
});

forEachDevice('close drops queued work, settles every promise, and may be called again', async (t, {device}) => {
	const tensor = device.allocate([4], 'float32');
	queueWork(device, 20_000);
	const pending = [readAll(tensor), device.synchronize(), readAll(tensor)];
	const settled = Promise.allSettled(pending);
	const start = Date.now();
	device.close();
	device.close();
	t.true(Date.now() - start < 3000, 'close waits for one operation, not for all');
	for (const result of await settled) {
		t.is(result.status, 'rejected');
		t.like(result, {reason: {code: 'ALEXNET_DISPOSED'}});
	}
});

forEachDevice('a closed device refuses everything but to let go', async (t, {device}) => {
	const before = device.memory().bytes;
	const tensor = device.allocate([4], 'float32');
	operations.fill({output: tensor, value: 1});
	await device.synchronize();
	device.close();
	const disposed = {code: 'ALEXNET_DISPOSED'};
	t.throws(() => operations.fill({output: tensor, value: 1}), {...disposed, message: /^fill/});
	t.throws(() => tensor.write(new Float32Array(4)), disposed);
	t.throws(() => device.allocate([1], 'uint8'), disposed);
	await t.throwsAsync(async () => device.synchronize(), disposed);
	await t.throwsAsync(async () => tensor.read(new Float32Array(4)), disposed);
	t.deepEqual(tensor.shape, [4]);
	tensor.dispose();
	t.true(device.memory().bytes <= before);
});

forEachDevice('promises that a closed device refuses leave nothing behind', async (t, {device}) => {
	const tensor = device.allocate([1], 'float32');
	device.close();
	const disposed = {code: 'ALEXNET_DISPOSED'};
	const handles = (): number => {
		globalThis.gc?.();
		return getHeapStatistics().used_global_handles_size;
	};
	const before = handles();
	for (let i = 0; i < 2000; i++) {
		await t.throwsAsync(async () => device.synchronize(), disposed);
		await t.throwsAsync(async () => tensor.read(new Float32Array(1)), disposed);
	}
	const more = handles() - before;
	t.true(more < 10_000, `${more} bytes of handles more`);
});

forEachDevice('a tensor may be disposed of while queued work uses it', async (t, {device}) => {
	queueWork(device, 20);
	const tensor = device.allocate([3], 'float32');
	operations.fill({output: tensor, value: 2.5});
	const values = readAll(tensor);
	tensor.dispose();
	t.deepEqual(await values, Float32Array.of(2.5, 2.5, 2.5));
});

forEachDevice('a failed operation rejects the next promise alone, and later work succeeds', async (t, {device}) => {
	const tensor = device.allocate([1], 'float32');
	operations.fill({output: tensor, value: 1});
	queueFailure(device);
	operations.fill({output: tensor, value: 2});
	const [first, second, third] = await Promise.allSettled([readAll(tensor), device.synchronize(), readAll(tensor)]);
	t.like(first, {status: 'rejected', reason: {code: 'ALEXNET_LABEL'}});
	t.regex(String((first as PromiseRejectedResult).reason), /softmaxLoss: /);
	t.is(second.status, 'fulfilled');
	t.deepEqual(third, {status: 'fulfilled', value: Float32Array.of(1)}, 'what followed the failure did not run');
	operations.fill({output: tensor, value: 3});
	t.deepEqual(await readAll(tensor), Float32Array.of(3));
});

forEachDevice('the bytes go back to where they were', async (t, {device}) => {
	const use = async (): Promise<void> => {
		const tensors = [0, 1, 2].map(() => device.allocate([64, 64], 'float32')) as [Tensor, Tensor, Tensor];
		const [input, weights, output] = tensors;
		for (const tensor of [input, weights]) operations.normal({output: tensor, seed: 1, stream: 0, deviation: 1});
		operations.linear({input, weights, output});
		await readAll(output);
		for (const tensor of tensors) tensor.dispose();
	};
	await use();
	const {bytes} = device.memory();
	for (let i = 0; i < 20; i++) await use();
	t.is(device.memory().bytes, bytes);
});

forEachDevice('an operation that is repeated allocates nothing', async (t, {device}) => {
	const [input, weights, output] = [0, 1, 2].map(() => device.allocate([64, 64], 'float32')) as [
		Tensor,
		Tensor,
		Tensor,
	];
	const step = async (): Promise<void> => {
		for (const tensor of [input, weights]) operations.normal({output: tensor, seed: 1, stream: 0, deviation: 1});
		operations.linear({input, weights, output});
		operations.linearBackwardInput({outputGradient: output, weights, inputGradient: input});
		operations.linearBackwardWeights({input, outputGradient: output, weightGradient: weights});
		await readAll(output);
	};
	await step();
	const memory = device.memory();
	for (let i = 0; i < 20; i++) await step();
	t.deepEqual(device.memory(), memory);
});

forEachDevice('forgotten tensors live as long as queued work needs them, and no longer', async (t, {device}) => {
	const {gc} = globalThis;
	if (!gc) throw new Error('node runs without --expose-gc');
	const before = device.memory().bytes;
	const chain = (): Promise<Float32Array> => {
		let last = device.allocate([100_000], 'float32');
		operations.fill({output: last, value: 1.5});
		for (let i = 0; i < 15; i++) {
			queueWork(device, 2);
			const next = device.allocate([100_000], 'float32');
			operations.copy({input: last, output: next});
			last = next;
			gc();
		}
		return readAll(last);
	};
	t.true((await chain()).every((value) => value === 1.5));
	for (let i = 0; i < 500 && device.memory().bytes > before; i++) {
		gc();
		await sleep(5);
	}
	// Queued products may have left the device with working memory of its own, but no tensor of 400,000 bytes.
	t.true(device.memory().bytes - before < 400_000, `${device.memory().bytes - before} bytes are left`);
});

forEachDevice('a tensor keeps working when its device object is forgotten', async (t, {device}) => {
	const tensor = openDevice(device.id).allocate([2], 'float32');
	globalThis.gc?.();
	await turn();
	operations.fill({output: tensor, value: 4});
	t.deepEqual(await readAll(tensor), Float32Array.of(4, 4));
});

forEachDevice('the event loop turns while a device works', async (t, {device}) => {
	queueWork(device, 200);
	let turns = 0;
	const timer = setInterval(() => turns++, 1);
	await device.synchronize();
	clearInterval(timer);
	t.true(turns > 20, `${turns} turns of the event loop during 200 products`);
});
