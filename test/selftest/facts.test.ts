import test from 'ava';
import {native} from '../../lib/device/native.ts';
import {factsOf} from '../../lib/selftest/facts.ts';

test('facts of devices open those that are named, and no others', (t) => {
	native.listDevices(); // loads the addon
	const {Device} = native;
	const opened: string[] = [];
	native.Device = class extends Device {
		constructor(kind: string, index: number, threads?: number) {
			super(kind, index, threads);
			opened.push(this.id);
		}
	};
	try {
		const facts = factsOf(['cpu:1']);
		t.deepEqual(opened, ['cpu:1']);
		t.deepEqual(
			facts.devices.map(({id, freeBytes = 0}) => [id, freeBytes > 0]),
			[['cpu:1', true]],
		);
	} finally {
		native.Device = Device;
	}
});
