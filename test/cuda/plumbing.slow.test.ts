// What cuda/ does before a GPU is asked for anything: words for what was found, limits and requirements of launches.
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {linesOf, runNvcc, scratchFolder, test, withDriver} from './nvcc.ts';

const folder = scratchFolder();
const program = join(folder, 'plumbing');
anyTest.after.always(() => rmSync(folder, {recursive: true}));

test('the program builds', (t) => {
	const runtime = ['availability', 'check', 'status'].map((name) => `cuda/runtime/${name}.cc`);
	const sources = ['test/cuda/plumbing.cu', ...runtime, 'cuda/kernels/lrn.cu', 'core/tensor.cc'];
	const flags = ['-std=c++17', '-arch=sm_80', '-Xcompiler=-Wall,-Wextra,-Wshadow', '--threads=0'];
	t.notRegex(runNvcc(...flags, ...sources, '-o', program), /warning/i);
});

// cudaError_t, as the runtime's interface fixes them.
const status = {success: 0, initializationError: 3, insufficientDriver: 35, noDevice: 100, systemDriverMismatch: 803};

const findings = [
	{
		when: 'there is no driver',
		given: [status.insufficientDriver, 13000, 0],
		reason: 'no-driver',
		message: /^No NVIDIA driver was found\. This build uses CUDA 13\.0: .* driver 580 or newer/,
	},
	{
		when: 'the driver is too old for CUDA 13',
		given: [status.insufficientDriver, 13000, 12040],
		reason: 'driver-too-old',
		message:
			/supports CUDA 12\.4 at most\. This build uses CUDA 13\.0: install driver 580 or newer, or build the addon with an nvcc of CUDA 12 \(cuda\/README\.md, Building\)\.$/,
	},
	{
		when: 'the driver is too old for CUDA 12',
		given: [status.insufficientDriver, 12080, 11040],
		reason: 'driver-too-old',
		message: /supports CUDA 11\.4 at most\. This build uses CUDA 12\.8: install driver 525 or newer\.$/,
	},
	{
		when: 'the driver is too old for a CUDA of later years',
		given: [status.insufficientDriver, 14010, 13000],
		reason: 'driver-too-old',
		message: /install a driver that supports CUDA 14\.1, or build the addon with an nvcc of CUDA 13 /,
	},
	{
		when: 'the driver says there is no GPU',
		given: [status.noDevice, 13000, 13020],
		reason: 'no-device',
		message: /^The NVIDIA driver \(CUDA 13\.2\) found no GPU\. .*CUDA_VISIBLE_DEVICES/,
	},
	{
		when: 'the driver counts no GPU',
		given: [status.success, 13000, 13000],
		reason: 'no-device',
		message: /found no GPU/,
	},
	{
		when: 'the driver fails',
		given: [status.systemDriverMismatch, 13000, 13000],
		reason: 'no-device',
		message: /cannot use a GPU: .* \(cudaErrorSystemDriverMismatch\)\. .*nvidia-smi/,
	},
	{
		when: 'the second GPU fails',
		given: [status.initializationError, 13000, 13000, 'NVIDIA H100'],
		reason: 'no-device',
		message: /\(cudaErrorInitializationError\)/,
	},
	{
		when: 'there is a GPU',
		given: [status.success, 13000, 13000, 'NVIDIA H100 80GB HBM3', 'NVIDIA T4'],
		reason: 'available',
		message: /^Found cuda:0 NVIDIA H100 80GB HBM3, cuda:1 NVIDIA T4\.$/,
	},
];

for (const {when, given, reason, message} of findings) {
	test(`availability where ${when}: ${reason}`, (t) => {
		const [gotReason, gotMessage = '', ...versions] = linesOf(program, ['availability', ...given.map(String)]);
		t.is(gotReason, reason);
		t.regex(gotMessage, message);
		t.deepEqual(versions, given.slice(1, 3).map(String));
	});
}

interface Code {
	name: string;
	value: string;
	/** The header's own. */
	text: string;
	isSticky: boolean;
	advice: string;
}

/** All status codes of this toolkit, and what cuda/ makes of them. */
function codes(): Code[] {
	const header = runNvcc('-E', '-Xcompiler=-C', '-x', 'cu', 'test/cuda/driver.c');
	const found = [...header.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\s*(cudaError[A-Z]\w*)\s*=\s*(\d+)/gs)];
	const lines = linesOf(program, ['statuses', ...found.map(([, , , value = '']) => value)]);
	return found.map(([, text = '', name = '', value = ''], index) => {
		const [sticky, ...words] = (lines[index] ?? '').split(' ');
		const advice = words.join(' ');
		return {name, value, text: text.replaceAll(/[\s*]+/g, ' '), isSticky: sticky === 'sticky', advice};
	});
}

test('what the runtime says of its status codes is known: which of them end a GPU for this process', (t) => {
	const all = codes();
	t.true(all.length > 100);
	for (const {name, text, isSticky} of all) {
		if (text.includes('process must be terminated and relaunched')) t.true(isSticky, name);
	}
	const besides = all.filter(({text, isSticky}) => isSticky && !text.includes('must be terminated'));
	// Of these the header does not say so: the driver's documentation does, or nothing is known to work after them.
	t.deepEqual(
		besides.map(({name}) => name.replace('cudaError', '')),
		['ECCUncorrectable', 'NvlinkUncorrectable', 'MpsRpcFailure', 'Unknown'],
	);
});

test('where a status code says what is wrong with machine or build, the message says what to do', (t) => {
	const families =
		/Mps|Ptx|Jit|KernelImage|ECC|Nvlink|DevicesUnavailable|DeviceAlreadyInUse|SystemNotReady|LaunchTimeout/;
	const found = codes().filter(({name}) => families.test(name));
	t.true(found.length >= 15);
	for (const {name, advice} of found) t.regex(advice, /^[A-Z].*\.$/, name);
});

test('a launch beyond the limits is refused before it, naming the kernel', (t) => {
	for (const grid of ['2147483648 1 1 32', '1 65536 1 32', '1 1 65536 32', '0 1 1 32', '1 1 1 1025', '1 1 1 0']) {
		const [code, message = ''] = linesOf(program, ['launch', ...grid.split(' ')]);
		t.is(code, 'ALEXNET_OPERATION', grid);
		const [x, y, z, threads] = grid.split(' ');
		t.true(
			message.startsWith(`emptyKernel: a grid of ${x} x ${y} x ${z} blocks of ${threads} threads cannot`),
			message,
		);
	}
});

test('a launch within the limits reaches the runtime, whose refusal names the kernel', (t) => {
	const options = ['launch', '2147483647', '65535', '65535', '1024'];
	const [code, message = ''] = linesOf(program, options, withDriver(folder, 13000));
	t.is(code, 'ALEXNET_OPERATION');
	t.regex(message, /^emptyKernel: .* \(cudaErrorNoDevice\)\.$/);
});

const refusals = [
	{what: 'the output in place', given: '4096 4096 1 96 2 5', message: /output must not overlap input/},
	{what: 'an output that begins within the input', given: '4096 4464 1 96 2 5', message: /must not overlap/},
	{what: 'an output that ends within the input', given: '4096 3728 1 96 2 5', message: /must not overlap/},
	{what: '2^34 elements', given: '4096 68719480832 2147483648 8 1 5', message: /fewer than 2\^34/},
];
for (const {what, given, message} of refusals) {
	test(`lrnForward refuses ${what}`, (t) => {
		const [code, text = ''] = linesOf(program, ['lrn', ...given.split(' ')]);
		t.is(code, 'ALEXNET_ARGUMENT');
		t.regex(text, message);
	});
}

// Addresses, pixels, channels, columns, size. [1 pixel, 96 channels] fp32 is 384 bytes.
for (const [what, given, kernel] of [
	["the paper's shape in chunks", '4096 4480 1 96 2 5', 'lrnForwardKernel'],
	['columns of 12 channels', '4096 4480 1 24 2 5', 'lrnForwardAnyKernel'],
	['a window of three', '4096 4480 1 96 2 3', 'lrnForwardAnyKernel'],
	['an input off 16 bytes', '4100 4608 1 96 2 5', 'lrnForwardAnyKernel'],
	['an output off 16 bytes', '4096 4484 1 96 2 5', 'lrnForwardAnyKernel'],
] as const) {
	test(`lrnForward takes ${what}`, (t) => {
		const [code, message = ''] = linesOf(program, ['lrn', ...given.split(' ')], withDriver(folder, 13000));
		t.is(code, 'ALEXNET_OPERATION');
		t.regex(message, new RegExp(`^${kernel}: .* \\(cudaErrorNoDevice\\)\\.$`));
	});
}
