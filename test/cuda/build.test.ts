// The addon has its CUDA part wherever nvcc is, carries the runtime with it, and says what is missing to use it.
import {readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import anyTest from 'ava';
import {cudaAvailability, listDevices} from '../../lib/device.ts';
import {native, type CudaAvailability} from '../../lib/native.ts';
import {linesOf, nvcc, root, runNvcc, scratchFolder, test, withDriver} from './nvcc.ts';

const folder = scratchFolder();
anyTest.after.always(() => rmSync(folder, {recursive: true}));

test('where nvcc is, the addon has a CUDA part of that version', (t) => {
	const {reason, runtimeVersion} = cudaAvailability();
	t.not(reason, 'not-built', `nvcc is at ${String(nvcc)}, but the addon has no CUDA part: read its build's output.`);
	const [, major, minor] = /release (\d+)\.(\d+)/.exec(runNvcc('--version')) ?? [];
	t.is(runtimeVersion, Number(major) * 1000 + Number(minor) * 10);
});

test('the addon contains the kernels and needs no CUDA library', (t) => {
	const {path} = createRequire(import.meta.url)('node-gyp-build') as {path: (folder: string) => string};
	const addon = readFileSync(path(root));
	t.true(addon.includes('lrnForwardKernel'));
	t.false(addon.includes('libcudart.so'));
});

/** What the addon says in a process that finds the stand-in driver. */
function availabilityWithDriver(version: number): CudaAvailability {
	const script = "console.log(JSON.stringify(require('node-gyp-build')(process.argv[1]).cudaAvailability()))";
	const [line = ''] = linesOf(process.execPath, ['-e', script, root], withDriver(folder, version));
	return JSON.parse(line) as CudaAvailability;
}

test('a driver that is too old is told apart, with both versions', (t) => {
	const {reason, message, driverVersion, runtimeVersion} = availabilityWithDriver(10020);
	t.is(reason, 'driver-too-old');
	t.is(driverVersion, 10020);
	t.regex(message, /supports CUDA 10\.2 at most/);
	t.true(message.includes(`This build uses CUDA ${Math.floor(runtimeVersion / 1000)}.`), message);
});

test('a driver without a GPU is told apart', (t) => {
	const {reason, message, driverVersion} = availabilityWithDriver(13020);
	t.is(reason, 'no-device');
	t.is(driverVersion, 13020);
	t.regex(message, /CUDA 13\.2\) found no GPU/);
});

anyTest("what is not available is not listed, and opening it fails with the reason's words", (t) => {
	const {reason, message} = cudaAvailability();
	const listed = listDevices().filter(({kind}) => kind === 'cuda');
	t.is(listed.length > 0, reason === 'available');
	if (reason === 'not-built') return;
	t.throws(() => new native.Device('cuda', 1000), {
		code: 'ALEXNET_DEVICE',
		message: `There is no cuda:1000 here. ${message}`,
	});
});
