import {checked} from '../base/check.ts';
import {listDevices, openDevice, deviceOptions, type DeviceOptions} from './device.ts';
import {AlexNetError, isAlexNetError} from '../base/errors.ts';
import type {MemoryUse, NativeDevice} from './native-device.ts';

/** The devices that hold the columns of one net. */
export class DeviceGroup {
	readonly devices: readonly NativeDevice[];
	/** Threads of each, where they are CPU devices. */
	readonly threads: number | undefined;
	/** Notes of the devices that the process was warned of. */
	readonly #told = new Set<string>();

	/**
	 * Opens one device for all columns, or one for each. CPU devices share the threads evenly. What could not be had
	 * becomes a warning of the process, also what turns out later.
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
		this.#tell();
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

	/**
	 * Whether the devices work beside the threads of their queues: then a batch may come, and the host may go on, while
	 * they do.
	 */
	get overlaps(): boolean {
		return this.devices.every(({id}) => id.startsWith('cuda'));
	}

	/** Memory of the host that all of the devices copy from best; for as long as it is referred to. */
	hostArray(bytes: number): Uint8Array {
		return new Uint8Array(this.devices[0]?.allocateHost(bytes) ?? new ArrayBuffer(bytes));
	}

	/** What is queued from here on begins on no device before all that was queued has ended on every one, or failed. */
	meet(): void {
		if (this.devices.length === 1) return;
		const events = this.devices.map((device) => device.record());
		for (const device of this.devices) for (const event of events) device.wait(event);
	}

	/** Resolves when all that was queued has ended. */
	async synchronize(): Promise<void> {
		await this.settle(...this.devices.map((device) => device.synchronize()));
	}

	/** Of each device: resolves when all that was queued has been handed to it; see {@link NativeDevice.submitted}. */
	submitted(): Promise<void>[] {
		return this.devices.map((device) => device.submitted());
	}

	/**
	 * Waits for all promises. Where one fails, waits until every device has stopped, and rejects with the error that came
	 * first rather than with that of a device which waited for the other.
	 */
	async settle(...promises: readonly Promise<unknown>[]): Promise<void> {
		const outcomes = await Promise.allSettled(promises);
		this.#tell();
		if (outcomes.every(({status}) => status === 'fulfilled')) return;
		const stopped = await Promise.allSettled(this.devices.map((device) => device.synchronize()));
		const reasons = [...outcomes, ...stopped].flatMap((outcome): unknown[] =>
			outcome.status === 'rejected' ? [outcome.reason] : [],
		);
		throw reasons.find((reason) => !isAlexNetError(reason, 'ALEXNET_PEER')) ?? reasons[0];
	}

	close(): void {
		for (const device of this.devices) device.close();
	}

	/** Warns of what could not be had since the last time. */
	#tell(): void {
		for (const note of this.devices.flatMap(({notes}) => notes)) {
			if (this.#told.has(note)) continue;
			this.#told.add(note);
			process.emitWarning(note, 'AlexNetWarning');
		}
	}
}

/** Threads of each of several CPU devices. */
function shareOf(devices: number, asked: number | undefined): number {
	if (asked !== undefined) checked('threads', deviceOptions.checks.threads, asked);
	const most = listDevices().find(({kind}) => kind === 'cpu')?.threads ?? 1;
	return Math.max(1, Math.floor(Math.min(asked ?? most, most) / devices));
}
