// Which device runs, and why not another: nobody should have to guess.
import {cudaAvailability, deviceInUse, listDevices} from '../lib/device/device.ts';
import type {CudaAvailability, DeviceInfo} from '../lib/device/native-device.ts';
import type {Precision} from '../lib/net/options.ts';
import {count} from './format.ts';

interface Run {
	devices: readonly string[];
	precision: Precision;
	/** Of each CPU, at most. */
	threads?: number | undefined;
}

/** "cpu:0 (AMD EPYC, 2 cores) in bf16", and a sentence more where the user could do better. */
export function describeRun({devices, precision, threads}: Run): string {
	const here = listDevices();
	const used = devices.flatMap((id) => deviceInUse(id, threads) ?? []);
	const lines = [
		`Device: ${used.map((device) => `${device.id} (${describeDevice(device)})`).join(', ')} in ${precision}.`,
	];
	if (precision === 'bf16' && used.some((device) => !device.nativeBfloat16)) {
		lines.push('bf16 is emulated on this device: fp32 is faster here.');
	}
	const gpus = here.filter(({kind}) => kind === 'cuda').map(({id}) => id);
	if (used.every(({kind}) => kind === 'cpu')) {
		lines.push(
			gpus.length > 0 ? `Faster: --device ${gpus[0] ?? ''}.` : `No CUDA device: ${cudaAvailability().message}`,
		);
	}
	return lines.join('\n');
}

/** "AMD EPYC, 2 cores", or "AMD EPYC, 1 core (CPU quota)" where it is not the machine that allows no more. */
export function describeDevice(device: DeviceInfo): string {
	const {name, threads, threadsLimitedBy, computeCapability, multiprocessors = 0} = device;
	const limit = threadsLimitedBy === undefined ? '' : ` (${threadsLimitedBy})`;
	if (threads !== undefined) return `${name}, ${count(threads, 'core')}${limit}`;
	if (computeCapability === undefined) return name;
	return `${name}, compute capability ${computeCapability}, ${count(multiprocessors, 'multiprocessor')}`;
}

/** "13.0" from 13000; undefined where there is none. */
function cudaVersion(version: number): string | undefined {
	return version > 0 ? `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}` : undefined;
}

/** The CUDA version this build is made with and the one the driver supports; nothing where there is no CUDA part. */
export function describeCudaVersions({runtimeVersion, driverVersion}: CudaAvailability): string | undefined {
	const built = cudaVersion(runtimeVersion);
	if (!built) return undefined;
	const driver = cudaVersion(driverVersion);
	return `This build has CUDA ${built}; ${driver ? `the driver supports up to CUDA ${driver}` : 'there is no NVIDIA driver'}.`;
}
