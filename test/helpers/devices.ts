// Runs a test body on every device of this machine. ALEXNET_REQUIRE=cuda makes the absence of a CUDA device a failure.
import test, {type ExecutionContext} from 'ava';
import {cudaAvailability, listDevices, openDevice} from '../../lib/device/device.ts';
import type {NativeDevice} from '../../lib/device/native.ts';
import {Workbench} from '../../lib/selftest/workbench.ts';
import {isRequired} from './required.ts';

const devices = listDevices();

if (isRequired('cuda')) {
	test('there is a CUDA device', (t) => {
		const {message} = cudaAvailability();
		t.true(
			devices.some((device) => device.kind === 'cuda'),
			`ALEXNET_REQUIRE names cuda, but there is no CUDA device here. ${message}`,
		);
	});
}

/** Defines one test for each device. The bench's random numbers depend on the title alone. */
export function forEachDevice(
	title: string,
	body: (t: ExecutionContext, bench: Workbench) => Promise<void>,
	{misaligned = false}: {misaligned?: boolean | undefined} = {},
): void {
	for (const {id} of devices) {
		test.serial(`${title} [${id}]`, async (t) => {
			const device = openDevice(id);
			try {
				const bench = new Workbench(device, title, {misaligned});
				await body(t, bench);
				t.deepEqual(await bench.finish(), []);
			} finally {
				device.close();
			}
		});
	}
}

/** Defines one test for each two devices that exchange tensors: two of a kind, or one twice where there is only one. */
export function forEachPair(
	title: string,
	body: (t: ExecutionContext, pair: [NativeDevice, NativeDevice]) => Promise<void>,
): void {
	const boards = devices.filter((device) => device.kind === 'cuda').map((device) => device.id);
	const pairs = [['cpu:0', 'cpu:1']];
	if (boards[0]) pairs.push([boards[0], boards[0]]);
	if (boards[0] && boards[1]) pairs.push([boards[0], boards[1]]);
	for (const [first, second] of pairs as [string, string][]) {
		test.serial(`${title} [${first}, ${second}]`, async (t) => {
			const pair: [NativeDevice, NativeDevice] = [openDevice(first), openDevice(second)];
			try {
				await body(t, pair);
			} finally {
				for (const device of pair) device.close();
			}
		});
	}
}
