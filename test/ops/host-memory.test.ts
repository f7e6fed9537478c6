// Transfers from and to memory of a device's own choice, and beside its queue.
import {setTimeout as sleep} from 'node:timers/promises';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import type {Random} from '../../lib/selftest/random.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {queueFailure, queueWork} from '../helpers/queue-work.ts';

const length = 5000;

const hostFloats = (device: NativeDevice, count = length): Float32Array =>
	new Float32Array(device.allocateHost(count * 4));

const draws = (random: Random, count = length): Float32Array => Float32Array.from(random.values(count, 1, 'float32'));

const floats = (device: NativeDevice): Tensor => device.allocate([length], 'float32');

async function contentsOf(tensor: Tensor): Promise<Float32Array> {
	const values = new Float32Array(length);
	await tensor.read(values);
	return values;
}

forEachDevice('host memory carries what ordinary memory does, in parts too', async (t, {device, random}) => {
	const [tensor, source, destination] = [floats(device), hostFloats(device), hostFloats(device, length + 2)];
	t.is(source.buffer.byteLength, length * 4);
	source.set(draws(random));
	destination.fill(-1);
	tensor.write(source);
	await tensor.read(destination.subarray(1, -1));
	t.deepEqual(destination.slice(1, -1), Float32Array.from(source));
	t.deepEqual([destination[0], destination[length + 1]], [-1, -1]);
	t.deepEqual(await contentsOf(tensor), Float32Array.from(source), 'and into ordinary memory');
	const words = new Int32Array(device.allocateHost(12));
	words.set([7, -7, 2 ** 31 - 1]);
	const integers = device.allocate([2], 'int32');
	integers.write(words.subarray(1));
	const read = new Int32Array(2);
	await integers.read(read);
	t.deepEqual(read, Int32Array.of(-7, 2 ** 31 - 1));
});

forEachDevice(
	'a write beside the queue waits for its event, and who waits for it sees it',
	async (t, {device, random}) => {
		for (const array of [hostFloats(device), new Float32Array(length)]) {
			const [tensor, before, after] = [floats(device), floats(device), floats(device)];
			const [first, second] = [draws(random), draws(random)];
			tensor.write(first);
			queueWork(device, 3);
			operations.copy({input: tensor, output: before});
			const free = device.record();
			array.set(second);
			const written = tensor.writeBeside(array, free);
			queueWork(device, 3);
			device.wait(written);
			operations.copy({input: tensor, output: after});
			t.deepEqual(await contentsOf(before), first);
			t.deepEqual(await contentsOf(after), second);
		}
	},
);

forEachDevice('two tensors that take turns bring every batch, whatever is queued', async (t, {device, random}) => {
	const rounds = 9;
	const sets = [0, 1].map(() => ({
		tensor: floats(device),
		free: undefined as ReturnType<typeof device.record> | undefined,
	}));
	const kept = Array.from({length: rounds}, () => floats(device));
	const batches = kept.map(() => hostFloats(device));
	for (const batch of batches) batch.set(draws(random));
	for (const [round, batch] of batches.entries()) {
		const set = sets[round % 2]!;
		device.wait(set.tensor.writeBeside(batch, set.free));
		operations.copy({input: set.tensor, output: kept[round]!});
		set.free = device.record();
		queueWork(device, 1);
	}
	for (const [round, tensor] of kept.entries())
		t.deepEqual(await contentsOf(tensor), Float32Array.from(batches[round]!));
});

forEachDevice('a read into host memory is of its place in the queue, whatever follows', async (t, {device, random}) => {
	const tensor = floats(device);
	const values = [0, 1, 2, 3].map(() => draws(random));
	const read = values.map(() => hostFloats(device));
	const order: number[] = [];
	const settled = values.map(async (value, index) => {
		tensor.write(value);
		const reading = index === 2 ? device.synchronize() : tensor.read(read[index]!);
		queueWork(device, 1);
		await reading;
		order.push(index);
	});
	await Promise.all(settled);
	t.deepEqual(order, [0, 1, 2, 3], 'promises settle in the order in which they were made');
	for (const index of [0, 1, 3]) t.deepEqual(Float32Array.from(read[index]!), values[index]);
});

forEachDevice('what fails before a read into host memory is told by it alone', async (t, {device}) => {
	const [tensor, read] = [floats(device), hostFloats(device)];
	operations.fill({output: tensor, value: 1});
	const reads = [tensor.read(read)];
	queueFailure(device);
	operations.fill({output: tensor, value: 2});
	reads.push(tensor.read(hostFloats(device)));
	operations.fill({output: tensor, value: 3});
	const last = hostFloats(device);
	reads.push(tensor.read(last));
	const [first, second, third] = await Promise.allSettled(reads);
	t.is(first!.status, 'fulfilled');
	t.true(read.every((value) => value === 1));
	t.like(second, {status: 'rejected', reason: {code: 'ALEXNET_LABEL'}});
	t.is(third!.status, 'fulfilled');
	t.true(last.every((value) => value === 3));
});

forEachDevice('submitted() tells of what fails in the order of the queue', async (t, {device}) => {
	await device.submitted();
	queueFailure(device);
	await t.throwsAsync(device.submitted(), {code: 'ALEXNET_LABEL', message: /^softmaxLoss: /});
	await t.notThrowsAsync(device.submitted());
	device.close();
	await t.throwsAsync(async () => device.submitted(), {code: 'ALEXNET_DISPOSED'});
	t.throws(() => device.allocateHost(4), {code: 'ALEXNET_DISPOSED'});
});

forEachDevice(
	'after an event that never happens a write beside the queue takes its place there',
	async (t, {device}) => {
		const [tensor, before] = [floats(device), floats(device)];
		tensor.write(new Float32Array(length).fill(1));
		operations.copy({input: tensor, output: before});
		queueFailure(device);
		const never = device.record();
		await t.throwsAsync(device.submitted(), {code: 'ALEXNET_LABEL'});
		device.wait(tensor.writeBeside(hostFloats(device).fill(2), never));
		t.true((await contentsOf(tensor)).every((value) => value === 2));
		t.true((await contentsOf(before)).every((value) => value === 1));
	},
);

forEachDevice('a write beside the queue that is dropped fails who waits for it', async (t, {device}) => {
	const tensor = floats(device);
	operations.fill({output: tensor, value: 1});
	queueFailure(device);
	const written = tensor.writeBeside(hostFloats(device).fill(2));
	await t.throwsAsync(device.submitted(), {code: 'ALEXNET_LABEL'});
	device.wait(written);
	await t.throwsAsync(contentsOf(tensor), {code: 'ALEXNET_PEER'});
	t.true((await contentsOf(tensor)).every((value) => value === 1));
});

forEachDevice('forgotten host memory lives as long as queued work needs it, and no longer', async (t, {device}) => {
	const {gc} = globalThis;
	if (!gc) throw new Error('node runs without --expose-gc');
	const tensors = Array.from({length: 8}, () => floats(device));
	const arrays = tensors.map((tensor, index) => {
		queueWork(device, 2);
		const array = hostFloats(device).fill(index);
		if (index % 2 === 0) tensor.write(array);
		else device.wait(tensor.writeBeside(array));
		return new WeakRef(array.buffer);
	});
	for (let again = 0; again < 4; again++) {
		gc();
		hostFloats(device).fill(-1); // takes the place of what was given back too early
	}
	for (const [index, tensor] of tensors.entries()) t.true((await contentsOf(tensor)).every((value) => value === index));
	for (let again = 0; again < 10; again++) {
		await sleep(5); // a job of its own: what a WeakRef has given lives as long as one
		gc();
	}
	await sleep(5);
	t.true(arrays.every((array) => array.deref() === undefined));
});

forEachDevice('close ends reads into host memory, and their memory stays', async (t, {device}) => {
	const [tensor, read] = [floats(device), hostFloats(device).fill(5)];
	operations.fill({output: tensor, value: 1});
	const reading = tensor.read(read);
	queueWork(device, 2000);
	const dropped = tensor.read(hostFloats(device));
	const settled = Promise.allSettled([reading, dropped]);
	device.close();
	const [first, second] = await settled;
	t.like(second, {status: 'rejected', reason: {code: 'ALEXNET_DISPOSED'}});
	const [value] = read; // the copy ran whole, or never
	t.true(value === 1 || (value === 5 && first.status === 'rejected'));
	t.true(read.every((other) => other === value));
	read.fill(7);
	await sleep(20);
	t.true(
		read.every((other) => other === 7),
		'nobody writes there any more',
	);
});

forEachDevice('what transfers of host memory refuse', (t, {device}) => {
	for (const bytes of [0, -1, 1.5, NaN, Infinity, '4', undefined] as number[]) {
		const message = 'allocateHost takes a number of bytes, an integer of at least 1.';
		t.throws(() => device.allocateHost(bytes), {code: 'ALEXNET_ARGUMENT', message}, String(bytes));
	}
	const tensor = floats(device);
	t.throws(() => tensor.writeBeside(hostFloats(device, 3)), {code: 'ALEXNET_SHAPE'});
	t.throws(() => tensor.writeBeside(new Int32Array(device.allocateHost(length * 4))), {code: 'ALEXNET_DATA_TYPE'});
	t.throws(() => tensor.writeBeside(hostFloats(device), {} as never), {code: 'ALEXNET_ARGUMENT', message: /event/});
	tensor.dispose();
	t.throws(() => tensor.writeBeside(hostFloats(device)), {code: 'ALEXNET_DISPOSED'});
	return Promise.resolve();
});
