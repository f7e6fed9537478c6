import {checked} from '../base/check.ts';
import {listDevices, openDevice, deviceOptions, type DeviceOptions} from './device.ts';
import {AlexNetError, isAlexNetError} from '../base/errors.ts';
import type {MemoryUse, NativeDevice} from './native.ts';

/** The devices that hold the columns of one net. */
export class DeviceGroup {
	readonly devices: readonly NativeDevice[];
	/** Threads of each, where they are CPU devices. */
	readonly threads: number | undefined;

	/**
	 * Opens one device for all columns, or one for each. CPU devices share the threads evenly. What could not be had
	 * becomes a warning of the process.
	 *
	 * @throws ALEXNET_DEVICE where one is not there, or their number does not suit the columns; ALEXNET_ARGUMENT where GPUs
	 * are given `threads`.
	 */
	constructor(ids: readonly string[], columns: number, {threads}: DeviceOptions = {}) {
		if (ids.length !== 1 && ids.length !== columns) {
			const names = ids.length === 0 ? '' : ` (${ids.join(', ')})`;
			const wanted = columns === 1 ? 'one device' : `one device, or ${columns} of a kind`;
			const message = `A net of ${columns} column${columns === 1 ? '' : 's'} takes ${wanted}; got ${ids.length}${names}.`;
			throw new AlexNetError('ALEXNET_DEVICE', message);
		}
		if (new Set(ids.map((id) => id.split(':')[0])).size > 1) {
			throw new AlexNetError('ALEXNET_DEVICE', `The columns of a net take devices of one kind; got ${ids.join(', ')}.`);
		}
		this.threads = ids[0]?.startsWith('cpu') ? shareOf(ids.length, threads) : threads;
		const opened: NativeDevice[] = [];
		try {
			for (const id of ids) opened.push(openDevice(id, {threads: this.threads}));
		} catch (error) {
			for (const device of opened) device.close();
			throw error;
		}
		this.devices = opened;
		for (const note of new Set(opened.flatMap(({notes}) => notes))) process.emitWarning(note, 'AlexNetWarning');
	}

	get ids(): readonly string[] {
		return this.devices.map(({id}) => id);
	}

	/** What tensors take on all devices together. */
	get memory(): MemoryUse {
		const all = this.devices.map((device) => device.memory());
		const sum = (field: keyof MemoryUse): number => all.reduce((total, memory) => total + memory[field], 0);
		return {bytes: sum('bytes'), allocations: sum('allocations')};
	}

	/** What is queued from here on begins on no device before all that was queued has ended on every one, or failed. */
	meet(): void {
		if (this.devices.length === 1) return;
		const events = this.devices.map((device) => device.record());
		for (const device of this.devices) for (const event of events) device.wait(event);
	}

	/** Resolves when all that was queued has ended. */
	async synchronize(): Promise<void> {
		await this.settle(Promise.all(this.devices.map((device) => device.synchronize())));
	}

	/**
	 * What `promise` gives. Where it fails, waits until every device has stopped, and rejects with the error that came
	 * first rather than with that of a device which waited for the other.
	 */
	async settle<T>(promise: Promise<T>): Promise<T> {
		try {
			return await promise;
		} catch (error) {
			const outcomes = await Promise.allSettled(this.devices.map((device) => device.synchronize()));
			const reasons = outcomes.map((outcome): unknown => (outcome.status === 'rejected' ? outcome.reason : undefined));
			throw (
				[error, ...reasons].find((reason) => reason !== undefined && !isAlexNetError(reason, 'ALEXNET_PEER')) ?? error
			);
		}
	}

	close(): void {
		for (const device of this.devices) device.close();
	}
}

/** Threads of each of several CPU devices. */
function shareOf(devices: number, asked: number | undefined): number {
	if (asked !== undefined) checked('threads', deviceOptions.checks.threads, asked);
	const most = listDevices().find(({kind}) => kind === 'cpu')?.threads ?? 1;
	return Math.max(1, Math.floor(Math.min(asked ?? most, most) / devices));
}
