// What decides the last bits of a run's results besides its seed: libraries, instruction set, threads.
import sharp from 'sharp';
import {deviceInfo} from './device.ts';
import type {Environment} from './progress.ts';
import {packageVersion} from './package.ts';

/** @param devices ids of the devices that hold the net */
export function environmentOf(devices: readonly string[]): Environment {
	return {
		'alexnet-cuda': packageVersion,
		sharp: sharp.versions.sharp,
		libvips: sharp.versions.vips,
		devices: devices.map(describe).join('; '),
	};
}

function describe(id: string): string {
	const {arithmetic, threads, computeCapability} = deviceInfo(id) ?? {};
	const threadsInWords = threads === undefined ? undefined : `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
	return [id, arithmetic, computeCapability, threadsInWords].filter((part) => part !== undefined).join(', ');
}

/** What differs, in words: "libvips was 8.17.2 and is 8.17.3". */
export function environmentChanges(before: Environment, now: Environment): string[] {
	return Object.keys({...before, ...now})
		.filter((name) => before[name] !== now[name])
		.map((name) => `${name} was ${before[name] ?? 'not known'} and is ${now[name] ?? 'not known'}`);
}
