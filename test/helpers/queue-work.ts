import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';

/** Whether GPUs are simulated, on which everything takes a thousand times as long. */
export const isSimulated = Boolean(process.env.ALEXNET_SIMULATED_GPUS);

/** Rows and columns of matrices whose product takes about a millisecond: on two cores, on a GPU, on a simulated one. */
export function sizeOfWork(deviceId: string): number {
	if (deviceId.startsWith('cpu')) return 512;
	return isSimulated ? 32 : 2048;
}

/** Queues so many products of square matrices, about a millisecond each, and keeps no reference to their tensors. */
export function queueWork(device: NativeDevice, products: number): void {
	const size = sizeOfWork(device.id);
	const [input, weights, output] = [0, 1, 2].map(() => device.allocate([size, size], 'float32')) as [
		Tensor,
		Tensor,
		Tensor,
	];
	operations.normal({output: input, seed: 1, stream: 0, deviation: 1});
	operations.normal({output: weights, seed: 1, stream: 1, deviation: 0.01});
	for (let i = 0; i < products; i++) operations.linear({input, weights, output});
}

/** Queues an operation that will fail with ALEXNET_LABEL: a label of 7 in two classes. */
export function queueFailure(device: NativeDevice): void {
	const labels = device.allocate([1], 'int32');
	const [logits, result] = [device.allocate([1, 2], 'float32'), device.allocate([3], 'float32')];
	labels.write(Int32Array.of(7));
	operations.fill({output: logits, value: 1});
	operations.softmaxLoss({logits, labels, result});
	for (const tensor of [labels, logits, result]) tensor.dispose();
}
