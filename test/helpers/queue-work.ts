import type {NativeDevice, Tensor} from '../../lib/native.ts';
import {operations} from '../../lib/ops.ts';

/** Queues so many products of 512 x 512 matrices, about a millisecond each, and keeps no reference to their tensors. */
export function queueWork(device: NativeDevice, products: number): void {
	const [input, weights, output] = [0, 1, 2].map(() => device.allocate([512, 512], 'float32')) as [
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
