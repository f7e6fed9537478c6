// Every operation at the real shapes of the paper's layers, two pictures, against its definition.
import {alexnet} from '../../lib/net/alexnet.ts';
import {listDevices, openDevice} from '../../lib/device/device.ts';
import {native} from '../../lib/device/native.ts';
import {operationCases} from '../../lib/selftest/cases/index.ts';
import {checkOperations} from '../../lib/selftest/check-operations.ts';
import {isSimulated} from '../../lib/selftest/facts.ts';
import {TestedDevice} from '../../lib/selftest/tested-device.ts';
import {testOn} from '../helpers/devices.ts';

const cases = operationCases(alexnet({classes: 1000}));

for (const {id} of listDevices()) {
	testOn([id], `every operation at the real shapes of its layers [${id}]`, async (t) => {
		using device = new TestedDevice(id, (name) => openDevice(name));
		const options = {seed: 1, operations: native, isSimulated};
		const results = [];
		for await (const result of checkOperations([device], cases, options)) {
			results.push(result);
			t.is(result.outcome, 'passed', JSON.stringify(result));
		}
		t.is(results.length, cases.size);
	});
}
