import {openDevice, operations} from '../../lib/ops.ts';
import {queueFailure, queueWork} from './queue-work.ts';

async function errorOf(action: () => unknown): Promise<unknown> {
	try {
		await action();
	} catch (error) {
		return error;
	}
	return undefined;
}

/** Errors that the addon makes: thrown by an operation, by a promise, and twice because something was disposed of. */
export async function errorsOf(id: string): Promise<unknown[]> {
	const device = openDevice(id);
	const output = device.allocate([1], 'float32');
	const thrown = await errorOf(() => {
		operations.fill({output, value: NaN});
	});
	queueFailure(device);
	const rejected = await errorOf(async () => device.synchronize());
	output.dispose();
	const disposed = await errorOf(() => {
		operations.fill({output, value: 1});
	});
	queueWork(device, 50);
	const pending = errorOf(async () => device.synchronize());
	device.close();
	return [thrown, rejected, disposed, await pending];
}
