import {checked, flag, integer, option, options, text} from '../base/check.ts';
import {AlexNetError, messageOf} from '../base/errors.ts';
import {native} from './native.ts';
import type {CudaAvailability, DeviceInfo, NativeDevice} from './native-device.ts';

/** What `listDevices` takes. */
export interface ListOptions {
	/**
	 * Opens each device for a moment, to tell how much memory is free and whether this build runs there. Some of a GPU's
	 * memory then stays with this process until it ends. Default false.
	 */
	probe?: boolean | undefined;
}

export const listOptions = options<ListOptions>()({
	probe: option(flag, 'opens each device for a moment', false),
});

/** What `openDevice` takes besides the id. */
export interface DeviceOptions {
	/**
	 * Threads of the CPU, at most; left out, all that this process may use: as many as affinity, a container's CPU quota,
	 * OMP_NUM_THREADS and OMP_THREAD_LIMIT allow; no more in any case. Several devices share them.
	 */
	threads?: number | undefined;
}

export const deviceOptions = options<DeviceOptions>()({
	threads: option(integer(1), 'threads of the CPU, at most; left out, all that this process may use'),
});

/**
 * The devices of this machine. Why there is no CUDA device, and which CUDA versions build and driver have, says
 * {@link cudaAvailability}.
 */
export function listDevices(given: ListOptions = {}): DeviceInfo[] {
	const {probe} = checked('listDevices', listOptions, given);
	const devices = native.listDevices();
	return probe ? devices.map((device) => ({...device, ...probed(device.id)})) : devices;
}

/** What `listDevices({probe: true})` tells of a device besides; opens it for a moment. */
export function probed(id: string): Pick<DeviceInfo, 'freeBytes' | 'notes' | 'problem'> {
	try {
		const device = openDevice(id);
		try {
			const {notes} = device;
			return {freeBytes: device.freeBytes(), ...(notes.length > 0 ? {notes} : {})};
		} finally {
			device.close();
		}
	} catch (error) {
		return {problem: messageOf(error)};
	}
}

/** What is known of a device that can be opened here; the CPU is listed once, however many devices share it. */
export function deviceInfo(id: string): DeviceInfo | undefined {
	const here = listDevices();
	const [kind] = id.split(':');
	const cpu = kind === 'cpu' ? here.find((device) => device.kind === 'cpu') : undefined;
	return here.find((device) => device.id === id) ?? (cpu && {...cpu, id});
}

/** {@link deviceInfo} of a device that works with so many threads, where it is a CPU. */
export function deviceInUse(id: string, threads: number | undefined): DeviceInfo | undefined {
	const info = deviceInfo(id);
	if (info?.threads === undefined || threads === undefined || threads >= info.threads) return info;
	const inUse = {...info, threads};
	delete inUse.threadsLimitedBy;
	return inUse;
}

/** Whether CUDA devices can be had here, and if not, why and what to do. */
export function cudaAvailability(): CudaAvailability {
	return native.cudaAvailability();
}

/**
 * Opens a device: "cpu" (the same as "cpu:0"), "cpu:1", "cuda:0". Close it when done.
 *
 * @throws ALEXNET_DEVICE where there is no such device here; the message says why. Nothing falls back. ALEXNET_ARGUMENT
 * where a GPU is given `threads`.
 */
export function openDevice(id: string, given: DeviceOptions = {}): NativeDevice {
	const {threads} = checked('openDevice', deviceOptions, given);
	const match = /^(cpu|cuda)(?::(\d{1,9}))?$/.exec(checked('id', text, id));
	if (!match?.[1]) {
		throw new AlexNetError(
			'ALEXNET_DEVICE',
			`Unknown device '${id}'. Devices here: ${listDevices()
				.map((device) => device.id)
				.join(', ')}.`,
		);
	}
	const [, kind, index = '0'] = match;
	if (threads !== undefined && kind === 'cuda') {
		throw new AlexNetError('ALEXNET_ARGUMENT', `threads is for the CPU; ${id} has none to set.`);
	}
	if (kind === 'cuda') {
		const {reason, message} = cudaAvailability();
		if (reason !== 'available') throw new AlexNetError('ALEXNET_DEVICE', `There is no ${id} here. ${message}`);
	}
	return new native.Device(kind, Number(index), threads);
}
