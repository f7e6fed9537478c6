// The addon has its CUDA part wherever nvcc is, carries the runtime with it, and says what is missing to use it.
import {spawnSync} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import anyTest from 'ava';
import {cudaAvailability, listDevices} from '../../lib/device/device.ts';
import {native} from '../../lib/device/native.ts';
import type {CudaAvailability} from '../../lib/device/native-device.ts';
import {root} from '../helpers/sources.ts';
import {linesOf, nvcc, runNvcc, scratchFolder, test, withDriver, withoutDriver} from './nvcc.ts';

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

interface Ended {
	status: number | null;
	stdout: string;
	stderr: string;
}

function alexnet(env: NodeJS.ProcessEnv, ...args: string[]): Ended {
	const command = ['--import=tsx', join(root, 'cli/main.ts'), ...args];
	return spawnSync(process.execPath, command, {cwd: root, env, encoding: 'utf8'});
}

test('without a driver the addon loads, `alexnet devices` says so, and cuda:0 is refused', (t) => {
	const env = withoutDriver(folder);
	const listed = alexnet(env, 'devices');
	t.is(listed.status, 0, listed.stderr);
	t.regex(listed.stdout, /^cpu:0 /m);
	t.notRegex(listed.stdout, /^cuda:/m);
	t.regex(
		listed.stdout,
		/^No CUDA device: No NVIDIA driver was found\. .* install driver \d+ or newer; in a container, /m,
	);
	t.regex(listed.stdout, /^This build has CUDA \d+\.\d+; there is no NVIDIA driver\.$/m);
	const {status, stderr} = alexnet(env, 'bench', 'cast', '--device', 'cuda:0');
	t.is(status, 1);
	t.regex(stderr, /There is no cuda:0 here\. No NVIDIA driver was found\. .*\(ALEXNET_DEVICE\)\n$/);
});

test('with a driver that is too old, `alexnet devices` and the refusal of cuda:0 name both versions', (t) => {
	const env = withDriver(folder, 10020);
	const {stdout, status} = alexnet(env, 'devices');
	t.is(status, 0);
	t.regex(
		stdout,
		/^No CUDA device: The NVIDIA driver is too old: it supports CUDA 10\.2 at most\. This build uses CUDA /m,
	);
	t.regex(stdout, /^This build has CUDA \d+\.\d+; the driver supports up to CUDA 10\.2\.$/m);
	const {stderr} = alexnet(env, 'bench', 'cast', '--device', 'cuda:0');
	t.regex(
		stderr,
		/There is no cuda:0 here\. The NVIDIA driver is too old: it supports CUDA 10\.2 at most\. .* CUDA \d+\.\d+: /,
	);
});

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
