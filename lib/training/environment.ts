// What decides the last bits of a run's results besides its seed: libraries, instruction set, threads; of a GPU also how
// many multiprocessors share the work, and who compiled the kernels.
import sharp from 'sharp';
import {cudaAvailability, deviceInUse} from '../device/device.ts';
import type {DeviceInfo} from '../device/native-device.ts';
import type {Wire} from '../net/group.ts';
import type {Environment} from '../net/progress.ts';
import {packageVersion} from '../base/package.ts';

/** @param model the devices that hold a net, the threads of each that is a CPU, and the ranks that add up gradients */
export function environmentOf(model: {
	devices: readonly string[];
	threads: number | undefined;
	group?: {size: number} | undefined;
	wire?: Wire | undefined;
}): Environment {
	const {builtFor} = cudaAvailability();
	return {
		'alexnet-cuda': packageVersion,
		sharp: sharp.versions.sharp,
		libvips: sharp.versions.vips,
		devices: model.devices
			.flatMap((id) => deviceInUse(id, model.threads) ?? [])
			.map((device) => describeArithmetic(device, builtFor))
			.join('; '),
		...(model.group && {ranks: `${model.group.size}${model.wire === 'bf16' ? ', gradients sent in bf16' : ''}`}),
	};
}

/** What of a device decides last bits: "cuda:0, NVIDIA A100, 108 multiprocessors, code for 8.0". */
export function describeArithmetic(
	{id, name, arithmetic, threads, computeCapability, multiprocessors = 0}: DeviceInfo,
	builtFor: string,
): string {
	if (computeCapability !== undefined) {
		const code = codeFor(computeCapability, builtFor);
		const from = code === undefined ? `PTX compiled for ${computeCapability}` : `code for ${code}`;
		return [id, name, `${multiprocessors} multiprocessors`, from].join(', ');
	}
	const threadsInWords = threads === undefined ? undefined : `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
	return [id, arithmetic, threadsInWords].filter((part) => part !== undefined).join(', ');
}

/** The newest machine code of a build that a GPU runs: that of its major version, and no newer minor one. */
function codeFor(computeCapability: string, builtFor: string): string | undefined {
	const [major = NaN, minor = NaN] = computeCapability.split('.').map(Number);
	const [codes = ''] = builtFor.split(/(?: and )?PTX /);
	return codes.split(', ').findLast((code) => {
		const [codeMajor, codeMinor = NaN] = code.split('.').map(Number);
		return codeMajor === major && codeMinor <= minor;
	});
}

/** What differs, in words: "libvips was 8.17.2 and is 8.17.3". */
export function environmentChanges(before: Environment, now: Environment): string[] {
	return Object.keys({...before, ...now})
		.filter((name) => before[name] !== now[name])
		.map((name) => `${name} was ${before[name] ?? 'not known'} and is ${now[name] ?? 'not known'}`);
}
