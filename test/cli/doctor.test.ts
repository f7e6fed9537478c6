import test from 'ava';
import type {DeviceFacts} from '../../lib/selftest/facts.ts';
import {test as withNvcc} from '../cuda/nvcc.ts';
import {onSimulatedGpus} from '../cuda/simulated.ts';
import {alexnet} from '../helpers/command.ts';
import {requireBuild} from '../simulator/build.ts';

interface Told {
	canTrain: boolean;
	advice: string[];
	findings: Record<string, string>;
	devices: DeviceFacts[];
}

test('doctor tells what is here, in words and as JSON', async (t) => {
	const {code, stdout, stderr} = await alexnet(['doctor']);
	t.is(code, 0, stderr);
	t.regex(stdout, new RegExp(`^package +alexnet-cuda .*Node\\.js ${process.version}`, 'm'));
	t.regex(stdout, /^pictures +sharp \d+\.\d+.*libvips \d+/m);
	t.regex(stdout, /^addon +build\/.*alexnet\.node, built on this machine$/m);
	t.regex(stdout, /^cpu:0 +\S.* cores?.* of \d+\.\d GiB free; oneDNN \d.*bf16 (in hardware|emulated)$/m);
	t.regex(stdout, /^A net can be trained here\.$/m);
	const told = JSON.parse((await alexnet(['doctor', '--json'])).stdout) as Told;
	t.true(told.canTrain);
	t.is(told.devices[0]?.id, 'cpu:0');
	t.true(told.findings['cpu:0']?.includes('oneDNN'));
});

/** Options of node with which sharp does not load, as where npm has left out what belongs to the system. */
function withoutSharp(): string {
	const script = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
	const broken = script(
		'export default 0; throw new Error(\'Could not load the "sharp" module using the linux-x64 runtime\\nPossible solutions:\')',
	);
	const hook = script(`export async function resolve(name, context, next) {
		return name === 'sharp' ? {url: ${JSON.stringify(broken)}, shortCircuit: true} : next(name, context);
	}`);
	return `--import=${script(`import {register} from 'node:module'; register(${JSON.stringify(hook)});`)}`;
}

test('where sharp does not load doctor says so, what to do, and the rest all the same', async (t) => {
	const environment = {NODE_OPTIONS: withoutSharp()};
	const {code, stdout, stderr} = await alexnet(['doctor'], {environment});
	t.is(code, 1, stderr);
	t.regex(stdout, /^pictures +sharp does not load$/m);
	t.regex(stdout, /^cpu:0 +\S.*oneDNN/m);
	t.regex(stdout, /^No net can be trained here\.$/m);
	const reason = 'Could not load the "sharp" module using the linux-x64 runtime';
	const advice = `sharp, which decodes pictures, does not load: ${reason}. Install what it has for this system: 'npm install --include=optional sharp'.`;
	t.true(stdout.split('\n').includes(advice), stdout);
	const other = await alexnet(['presets'], {environment});
	t.is(other.code, 1);
	t.true(other.stderr.startsWith(`error: ${reason}`), other.stderr);
});

withNvcc('it tells of each simulated GPU, what the build is for, and of one that cannot be used', (t) => {
	requireBuild();
	const doctor = (settings: Parameters<typeof onSimulatedGpus>[0]): Told => {
		const {status, stdout, stderr} = onSimulatedGpus(settings, 'cli/main.ts', ['doctor', '--json']);
		t.is(status, 0, stderr);
		return JSON.parse(stdout) as Told;
	};
	const told = doctor({});
	t.deepEqual(told.advice, []);
	t.regex(told.findings.CUDA ?? '', /^built for PTX 7\.5, 8\.0$/);
	t.regex(
		told.findings['cuda:1'] ?? '',
		/compute capability 8\.0, .* GiB free; reaches the memory of cuda:0; bf16 in hardware$/,
	);
	const old = doctor({GPUS: '1', PROFILE: '75', PTX: '80'});
	t.true(old.canTrain, 'on the CPU');
	t.regex(old.findings['cuda:0'] ?? '', /; cannot be used; bf16 emulated$/);
	t.regex(old.advice.join('\n'), /^cuda:0: No kernel image is available for cuda:0 .* ALEXNET_CUDA_ARCHITECTURES=75/);
});
