// Tests of devices. ALEXNET_TEST_DEVICES=cuda:0, ids with commas between, leaves out all tests of a file but those of one of
// these devices. ALEXNET_REQUIRE=cuda makes the absence of a CUDA device a failure.
import test, {type ExecutionContext} from 'ava';
import {cudaAvailability, listDevices, openDevice} from '../../lib/device/device.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import {Workbench} from '../../lib/selftest/workbench.ts';
import {isRequired} from './required.ts';

const devices = listDevices();

/** Undefined where a run is about all devices. */
const asked = process.env.ALEXNET_TEST_DEVICES?.split(',');

// Exclusive, so that nothing else runs where a file has no test of the device.
if (asked) {
	test.serial.only(`there is ${asked.join(', ')}, as ALEXNET_TEST_DEVICES says`, (t) => {
		const here = devices.map(({id}) => id);
		const missing = asked.filter((id) => !here.includes(id));
		t.deepEqual(missing, [], `here are ${here.join(', ')}`);
	});
}

if (isRequired('cuda')) {
	test('there is a CUDA device', (t) => {
		const {message} = cudaAvailability();
		t.true(
			devices.some((device) => device.kind === 'cuda'),
			`ALEXNET_REQUIRE names cuda, but there is no CUDA device here. ${message}`,
		);
	});
}

/** Defines a test that runs on these devices. Nothing but this makes a test one of a device; the title is for readers. */
export function testOn(
	ids: readonly string[],
	title: string,
	body: (t: ExecutionContext) => void | Promise<void>,
): void {
	if (asked === undefined) test.serial(title, body);
	else if (ids.some((id) => asked.includes(id))) test.serial.only(title, body);
}

export interface DeviceTestOptions {
	readonly misaligned?: boolean | undefined;
	/** For devices that multiply in TF32. */
	readonly tf32?: boolean | undefined;
}

/** Defines one test for each device. The bench's random numbers depend on the title alone. */
export function forEachDevice(
	title: string,
	body: (t: ExecutionContext, bench: Workbench) => Promise<void>,
	{misaligned = false, tf32 = false}: DeviceTestOptions = {},
): void {
	for (const {id} of devices) {
		if (tf32 && !hasTf32(id)) continue;
		testOn([id], `${title} [${id}]`, async (t) => {
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

const withTf32 = new Map<string, boolean>();

/** Whether a device multiplies in TF32; it is opened once to be asked. */
export function hasTf32(id: string): boolean {
	const known = withTf32.get(id);
	if (known !== undefined) return known;
	const device = openDevice(id);
	withTf32.set(id, device.hasTf32);
	device.close();
	return device.hasTf32;
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
		testOn([first, second], `${title} [${first}, ${second}]`, async (t) => {
			const pair: [NativeDevice, NativeDevice] = [openDevice(first), openDevice(second)];
			try {
				await body(t, pair);
			} finally {
				for (const device of pair) device.close();
			}
		});
	}
}
