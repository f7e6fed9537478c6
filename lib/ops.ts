/**
 * The operations themselves, for people who come for the kernels: open a device, allocate tensors, call verbs.
 *
 * ```ts
 * import {openDevice, operations} from 'alexnet-cuda/ops';
 * const device = openDevice('cpu');
 * const input = device.allocate([1, 27, 27, 96], 'float32');
 * const output = device.allocate([1, 27, 27, 96], 'float32');
 * input.write(new Float32Array(27 * 27 * 96).map(() => Math.random()));
 * operations.lrn({input, output, columns: 2, size: 5, alpha: 1e-4, beta: 0.75, k: 2});
 * const result = new Float32Array(27 * 27 * 96);
 * await output.read(result);
 * device.close();
 * ```
 *
 * Shapes and formulas stand in core/operations.h. Calls queue and return; an error on the queue rejects the device's
 * next promise, with the name of the operation that failed.
 */
import {native} from './device/native.ts';
import type {Operations} from './device/operations.ts';

export {cudaAvailability, listDevices, openDevice, type DeviceOptions, type ListOptions} from './device/device.ts';
export type {CudaAvailability, DeviceInfo, MemoryUse, NativeDevice} from './device/native-device.ts';
export type {DataType, DeviceEvent, HostArray, Shape, Tensor} from './device/tensor.ts';
export type {
	Activation,
	ConvOptions,
	InputGradientArguments,
	LrnArguments,
	LrnMaxPoolArguments,
	LrnOptions,
	MaxPoolArguments,
	Nonlinearity,
	Operations,
	PoolOptions,
	ProductArguments,
	ProductOptions,
	SgdParameter,
	WeightGradientArguments,
} from './device/operations.ts';

/** Every operation: each checks its tensors, queues and returns. */
export const operations: Operations = native;
