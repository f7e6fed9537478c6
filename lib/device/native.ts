// The typed contract of the native addon, and the only file that loads it.
//
// The addon reports errors with the same codes as lib/base/errors.ts. Operations queue and return; what fails on the
// queue rejects the device's next promise.
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {AlexNetError, makeError, messageOf} from '../base/errors.ts';
import {packageRoot} from '../base/package.ts';
import type {MakeRecording} from './recording.ts';
import type {CudaAvailability, DeviceInfo, NativeDevice} from './native-device.ts';
import type {Operations} from './operations.ts';

export interface Addon extends Operations {
	/** Takes what makes an error of a code and a message. */
	makeErrorsWith(make: typeof makeError): void;
	Device: new (kind: string, index: number, threads?: number) => NativeDevice;
	Recording: MakeRecording<NativeDevice>;
	listDevices(): DeviceInfo[];
	cudaAvailability(): CudaAvailability;
	/**
	 * Takes an open file for this process until it is closed, at the latest when the process ends, however it ends. False
	 * where another process or another opening of the file holds it.
	 */
	lockFile(descriptor: number): boolean;
	/**
	 * When this thread ends, however it ends, so do the processes that it has started with this argument. Node.js neither
	 * ends nor awaits those of a worker thread that is terminated.
	 */
	endChildrenWithThread(argument: string): void;
}

/** Builds for tests of the addon, in a checkout only: the variable that asks for one (the first counts), what makes it. */
const testBuilds = [
	{variable: 'ALEXNET_ASAN_SIMULATED', folder: 'AsanSimulated', command: 'npm run test:asan-simulated'},
	{variable: 'ALEXNET_SIMULATED_GPUS', folder: 'Simulated', command: 'npm run build:simulated'},
	{variable: 'ALEXNET_ASAN', folder: 'Asan', command: 'npm run test:asan'},
	{variable: 'ALEXNET_TSAN', folder: 'Tsan', command: 'npm run test:tsan'},
] as const;

/**
 * Where the addon is loaded from: build/Release/ of a checkout, prebuilds/ of a package, or a build for tests.
 *
 * @throws ALEXNET_ADDON where there is none; the message says what makes one.
 */
export function addonFile(): string {
	const asked = testBuilds.find(({variable}) => process.env[variable]);
	if (!asked) {
		const {resolve} = load('node-gyp-build') as {resolve: (folder: string) => string};
		return unlessMissing(() => resolve(packageRoot()));
	}
	const file = join(packageRoot(), 'build', asked.folder, 'Release', 'alexnet.node');
	if (existsSync(file)) return file;
	const message = `${asked.variable} is set, but ${file} is not there. Run '${asked.command}' in a checkout, or unset it.`;
	throw new AlexNetError('ALEXNET_ADDON', message);
}

/** At first use: what needs no addon asks for no module of this kind. */
function load(module: string): unknown {
	return createRequire(import.meta.url)(module);
}

function unlessMissing<T>(work: () => T): T {
	try {
		return work();
	} catch (error) {
		throw new AlexNetError(
			'ALEXNET_ADDON',
			`The native addon could not be loaded: ${messageOf(error)}\n` +
				"Run 'npm rebuild alexnet-cuda' (in a checkout: scripts/setup) and read what it says is missing. A package " +
				"manager that blocks install scripts builds nothing before 'npm install-scripts approve alexnet-cuda' or " +
				"'pnpm approve-builds'.",
			{cause: error},
		);
	}
}

function loadAddon(): Addon {
	const file = addonFile();
	const addon = unlessMissing(() => load(file) as Addon);
	addon.makeErrorsWith(makeError);
	return addon;
}

function loaded(exports: Partial<Addon>): Partial<Addon> {
	return exports.Device ? exports : Object.assign(exports, loadAddon());
}

/**
 * The addon, loaded where it is first used, so that what needs none works without one.
 *
 * @throws ALEXNET_ADDON, with the reason.
 */
export const native = new Proxy<Partial<Addon>>(
	{},
	{
		get: (exports, name) => Reflect.get(loaded(exports), name) as unknown,
		has: (exports, name) => Reflect.has(loaded(exports), name),
		ownKeys: (exports) => Reflect.ownKeys(loaded(exports)),
	},
) as Addon;
