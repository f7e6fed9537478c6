// Tensors without operations: allocation, views, transfers and what they refuse.
import type {DataType, HostArray} from '../../lib/device/tensor.ts';
import {forEachDevice} from '../helpers/devices.ts';

forEachDevice('a tensor says what it is', (t, {device}) => {
	const tensor = device.allocate([2, 3, 5, 7], 'bfloat16');
	t.deepEqual(tensor.shape, [2, 3, 5, 7]);
	t.is(tensor.dataType, 'bfloat16');
	t.is(tensor.deviceId, device.id);
	tensor.dispose();
	return Promise.resolve();
});

forEachDevice('what was written is read, in order', async (t, {device}) => {
	const tensor = device.allocate([3], 'float32');
	const [first, second] = [new Float32Array(3), new Float32Array(3)];
	tensor.write(Float32Array.of(1, -0, NaN));
	const reads = [tensor.read(first)];
	tensor.write(Float32Array.of(4, 5, 6));
	reads.push(tensor.read(second));
	await Promise.all(reads);
	t.deepEqual([first, second], [Float32Array.of(1, -0, NaN), Float32Array.of(4, 5, 6)]);
	tensor.dispose();
});

forEachDevice('transfers take a part of a larger array', async (t, {device}) => {
	const tensor = device.allocate([2], 'int32');
	tensor.write(Int32Array.of(1, 2, 3, 4).subarray(1, 3));
	const destination = new Int32Array(4);
	await tensor.read(destination.subarray(2));
	t.deepEqual(destination, Int32Array.of(0, 0, 2, 3));
	tensor.dispose();
});

forEachDevice('a view is the same memory and keeps it alive', async (t, {device}) => {
	const before = device.memory().bytes;
	const tensor = device.allocate([4], 'float32');
	const halves = tensor.view([2, 2], 'bfloat16', 8);
	tensor.write(Float32Array.of(1, 2, 3, -1.5));
	tensor.dispose();
	tensor.dispose();
	const bits = new Uint16Array(4);
	await halves.read(bits);
	t.deepEqual(bits, Uint16Array.of(0, 0x4040, 0, 0xbfc0), 'the halves of 3 and -1.5');
	t.true(device.memory().bytes >= before + 16);
	halves.dispose();
	t.is(device.memory().bytes, before);
});

forEachDevice('a view of a view counts its start from the view', async (t, {device}) => {
	const tensor = device.allocate([8], 'uint8');
	tensor.write(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7));
	const bytes = new Uint8Array(2);
	await tensor.view([6], 'uint8', 2).view([2], 'uint8', 3).read(bytes);
	t.deepEqual(bytes, Uint8Array.of(5, 6));
});

forEachDevice('allocations are counted', (t, {device}) => {
	const before = device.memory();
	const tensors = Array.from({length: 5}, () => device.allocate([100, 10], 'float32'));
	const held = device.memory();
	t.is(held.allocations, before.allocations + 5);
	t.true(held.bytes >= before.bytes + 5 * 4000);
	for (const tensor of tensors) tensor.dispose();
	t.is(device.memory().bytes, before.bytes);
	t.is(device.memory().allocations, held.allocations);
	return Promise.resolve();
});

forEachDevice('shapes, types, views and arrays that cannot be', async (t, {device}) => {
	for (const shape of [[], [0], [-1], [1.5], [2, 3, 4, 5, 6], [2 ** 31], [2 ** 30, 2 ** 30, 2 ** 30]]) {
		t.throws(() => device.allocate(shape, 'uint8'), {code: 'ALEXNET_SHAPE'}, `[${shape.join(', ')}]`);
	}
	t.throws(() => device.allocate('3' as unknown as number[], 'uint8'), {code: 'ALEXNET_ARGUMENT'});
	t.throws(() => device.allocate([1], 'float64' as DataType), {code: 'ALEXNET_DATA_TYPE', message: /float64/});
	t.throws(() => device.allocate([100_000, 100_000, 1000], 'float32'), {
		code: 'ALEXNET_MEMORY',
		message: new RegExp(device.id),
	});

	const tensor = device.allocate([4], 'float32');
	t.throws(() => tensor.view([5], 'float32'), {code: 'ALEXNET_SHAPE'});
	t.throws(() => tensor.view([4], 'float32', 4), {code: 'ALEXNET_SHAPE'});
	t.throws(() => tensor.view([1], 'float32', 2), {code: 'ALEXNET_SHAPE'});
	t.throws(() => tensor.view([1], 'uint8', -1), {code: 'ALEXNET_ARGUMENT'});
	t.throws(() => tensor.view([1], 'uint8', 0.5), {code: 'ALEXNET_ARGUMENT'});
	t.throws(() => tensor.view([4], 'uint8', 2 ** 60), {code: 'ALEXNET_ARGUMENT'});
	t.throws(() => tensor.view([2], 'uint8', 8).view([9], 'uint8'), {code: 'ALEXNET_SHAPE'});
	t.throws(() => tensor.write(new Float32Array(3)), {code: 'ALEXNET_SHAPE', message: /16 bytes, the array has 12/});
	t.throws(() => tensor.write([1, 2, 3, 4] as unknown as Float32Array), {code: 'ALEXNET_ARGUMENT'});
	await t.throwsAsync(async () => tensor.read(new Float32Array(5)), {code: 'ALEXNET_SHAPE'});
	await t.throwsAsync(async () => tensor.read(undefined as unknown as Float32Array), {code: 'ALEXNET_ARGUMENT'});

	tensor.dispose();
	t.throws(() => tensor.view([4], 'float32'), {code: 'ALEXNET_DISPOSED'});
	t.throws(() => tensor.write(new Float32Array(4)), {code: 'ALEXNET_DISPOSED'});
	await t.throwsAsync(async () => tensor.read(new Float32Array(4)), {code: 'ALEXNET_DISPOSED'});
});

/** Of 16 bytes each, by the data type that they go with. */
const arrays: Record<string, readonly ArrayBufferView[]> = {
	float32: [new Float32Array(4)],
	bfloat16: [new Uint16Array(8)],
	int32: [new Int32Array(4)],
	uint8: [new Uint8Array(16), new Uint8ClampedArray(16), Buffer.alloc(16)],
	none: [
		new Int8Array(16),
		new Int16Array(8),
		new Uint32Array(4),
		new Float64Array(2),
		new BigInt64Array(2),
		new BigUint64Array(2),
	],
};

forEachDevice('each data type is written from and read into its own kind of array', async (t, {device}) => {
	for (const dataType of ['float32', 'bfloat16', 'int32', 'uint8'] as const) {
		const tensor = device.allocate([16 / {float32: 4, bfloat16: 2, int32: 4, uint8: 1}[dataType]], dataType);
		for (const [goesWith, kinds] of Object.entries(arrays)) {
			for (const array of kinds as HostArray[]) {
				const copies = async (): Promise<void> => {
					tensor.write(array);
					await tensor.read(array);
				};
				if (goesWith === dataType) {
					await t.notThrowsAsync(copies);
					continue;
				}
				const message = new RegExp(`type ${dataType} takes a \\w+Array, got a ${array.constructor.name}\\.`);
				await t.throwsAsync(copies, {code: 'ALEXNET_DATA_TYPE', message});
				await t.throwsAsync(async () => tensor.read(array), {code: 'ALEXNET_DATA_TYPE', message});
			}
		}
	}
});

forEachDevice('memory that may go away is refused, shared memory is not', async (t, {device}) => {
	const tensor = device.allocate([4], 'float32');
	const buffer = new (ArrayBuffer as new (length: number, options: {maxByteLength: number}) => ArrayBuffer)(16, {
		maxByteLength: 32,
	});
	const resizable = new Float32Array(buffer);
	t.throws(() => tensor.write(resizable), {code: 'ALEXNET_ARGUMENT', message: /resizable/});
	await t.throwsAsync(async () => tensor.read(resizable), {code: 'ALEXNET_ARGUMENT', message: /resizable/});

	const detached = new Float32Array(4);
	structuredClone(detached.buffer, {transfer: [detached.buffer]});
	t.throws(() => tensor.write(detached), {code: 'ALEXNET_SHAPE', message: /the array has 0/});

	const shared = new Float32Array(new SharedArrayBuffer(32), 8, 4);
	shared.set([1, 2, 3, 4]);
	tensor.write(shared);
	const back = new Float32Array(new SharedArrayBuffer(32), 16);
	await tensor.read(back);
	t.deepEqual([...back], [1, 2, 3, 4]);
});
