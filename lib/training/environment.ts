// What decides the last bits of a run's results besides its seed: libraries, instruction set, threads.
import sharp from 'sharp';
import {deviceInUse} from '../device/device.ts';
import type {Environment} from '../net/progress.ts';
import {packageVersion} from '../base/package.ts';

/** @param model the devices that hold a net, and the threads of each that is a CPU */
export function environmentOf(model: {devices: readonly string[]; threads: number | undefined}): Environment {
	return {
		'alexnet-cuda': packageVersion,
		sharp: sharp.versions.sharp,
		libvips: sharp.versions.vips,
		devices: model.devices.map((id) => describe(id, model.threads)).join('; '),
	};
}

function describe(id: string, most: number | undefined): string {
	const {arithmetic, threads, computeCapability} = deviceInUse(id, most) ?? {};
	const threadsInWords = threads === undefined ? undefined : `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
	return [id, arithmetic, computeCapability, threadsInWords].filter((part) => part !== undefined).join(', ');
}

/** What differs, in words: "libvips was 8.17.2 and is 8.17.3". */
export function environmentChanges(before: Environment, now: Environment): string[] {
	return Object.keys({...before, ...now})
		.filter((name) => before[name] !== now[name])
		.map((name) => `${name} was ${before[name] ?? 'not known'} and is ${now[name] ?? 'not known'}`);
}
