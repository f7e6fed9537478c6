// What is known of the machine and its devices, for whoever reads a report elsewhere.
import {readFileSync} from 'node:fs';
import os from 'node:os';
import {cudaAvailability, deviceInfo, deviceInUse, probed} from '../device/device.ts';
import type {CudaAvailability, DeviceInfo} from '../device/native-device.ts';
import {packageVersion} from '../base/package.ts';

export interface DeviceFacts extends DeviceInfo {
	readonly isSimulated: boolean;
}

export interface Facts {
	readonly version: string;
	readonly node: string;
	/** "Linux 6.1.0 x64" */
	readonly system: string;
	readonly cuda: CudaAvailability;
	/** The NVIDIA driver's own version, where the system tells it. */
	readonly driver: string | undefined;
	/** ALEXNET_SYNC, as it is set. */
	readonly sync: string | undefined;
	readonly devices: readonly DeviceFacts[];
}

/**
 * Opens the devices that are named for a moment, and no others.
 *
 * @param threads that a CPU works with, at most
 */
export function factsOf(ids: readonly string[], threads?: number): Facts {
	return {
		version: packageVersion,
		node: process.version,
		system: `${os.type()} ${os.release()} ${os.arch()}`,
		cuda: {...cudaAvailability()},
		driver: driverVersion(),
		sync: process.env.ALEXNET_SYNC,
		devices: ids.flatMap((id) => {
			const info = deviceInUse(id, threads);
			return info ? [{...info, ...probed(id), isSimulated: isSimulated(id)}] : [];
		}),
	};
}

/** The simulator says so in the board's name. */
export function isSimulated(id: string): boolean {
	return deviceInfo(id)?.name.includes('(simulated)') ?? false;
}

/** "580.82.07" */
function driverVersion(): string | undefined {
	try {
		return /(?<=\s)\d+\.\d+(\.\d+)?(?=\s)/.exec(readFileSync('/proc/driver/nvidia/version', 'utf8'))?.[0];
	} catch {
		return undefined; // no driver, or another system
	}
}
