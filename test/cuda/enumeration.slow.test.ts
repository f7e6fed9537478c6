// What is listed of GPUs, by listDevices() and by `alexnet devices`.
import anyTest from 'ava';
import type {DeviceInfo} from '../../lib/device/native-device.ts';
import {requireBuild} from '../simulator/build.ts';
import {nvcc, test} from './nvcc.ts';
import {onSimulatedGpus, type Settings} from './simulated.ts';

const gibibyte = 2 ** 30;

anyTest.before(() => {
	if (nvcc !== undefined) requireBuild();
});

/** The GPUs as `alexnet devices --json` prints listDevices({probe: true}). */
function gpus(settings: Settings): DeviceInfo[] {
	const {stdout} = onSimulatedGpus(settings, 'cli/main.ts', ['devices', '--json']);
	return (JSON.parse(stdout) as {devices: DeviceInfo[]}).devices.filter(({kind}) => kind === 'cuda');
}

const three: Settings = {GPUS: '3', PROFILE: '86', PROCESSORS: '10', MEMORY: String(gibibyte)};

test('each GPU with its memory, multiprocessors, and the GPUs that reach its memory', (t) => {
	const ids = ['cuda:0', 'cuda:1', 'cuda:2'];
	const expected = ids.map((id, index) => ({
		id,
		kind: 'cuda',
		name: 'NVIDIA GeForce RTX 3090 (simulated)',
		memoryBytes: gibibyte,
		nativeBfloat16: true,
		computeCapability: '8.6',
		multiprocessors: 10,
		pciAddress: `00000000:0${index + 1}:00.0`,
		peers: ids.filter((other) => other !== id),
		freeBytes: gibibyte,
	}));
	t.deepEqual<unknown[], unknown[]>(gpus(three), expected);
	const apart = gpus({...three, PEERS: '0'});
	t.deepEqual<unknown[], unknown[]>(
		apart,
		expected.map((gpu) => ({...gpu, peers: []})),
	);
});

test('compute capability 7.5 has no bf16 arithmetic', (t) => {
	const [gpu] = gpus({PROFILE: '75'});
	t.like(gpu, {computeCapability: '7.5', nativeBfloat16: false, multiprocessors: 40});
});

test('a GPU that this build has no kernels for is listed with the problem', (t) => {
	const settings: Settings = {GPUS: '1', PROFILE: '75', PTX: '80'};
	const [gpu] = gpus(settings);
	t.regex(gpu?.problem ?? '', /^No kernel image is available for cuda:0 .* ALEXNET_CUDA_ARCHITECTURES=75/);
	t.is(gpu?.freeBytes, undefined);
	const {status, stdout} = onSimulatedGpus(settings, 'cli/main.ts', ['devices']);
	t.is(status, 0);
	t.regex(stdout, /^cuda:0 .* GiB +\? +emulated, slow +none$/m);
	t.true(stdout.includes(`\ncuda:0 cannot be used: ${String(gpu?.problem)}\n`), stdout);
});

test('alexnet devices says it in words', (t) => {
	const {status, stdout, stderr} = onSimulatedGpus(three, 'cli/main.ts', ['devices']);
	t.is(status, 0, stderr);
	t.is(stderr, '');
	const [header = '', , ...rows] = stdout.split('\n');
	t.regex(header, /^id +device +memory +free +bf16 +peers$/);
	t.regex(
		rows[0] ?? '',
		/^cuda:0 +NVIDIA GeForce RTX 3090 \(simulated\), compute capability 8\.6, 10 multiprocessors +1\.0 GiB +1\.0 GiB +in hardware +cuda:1, cuda:2$/,
	);
	t.regex(stdout, /^This build has CUDA \d+\.\d+; the driver supports up to CUDA \d+\.\d+\.$/m);
	const apart = onSimulatedGpus({...three, PEERS: '0'}, 'cli/main.ts', ['devices']);
	t.regex(apart.stdout, /^cuda:0 .* in hardware +none$/m);
});
