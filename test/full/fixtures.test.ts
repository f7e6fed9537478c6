// The paper's net at full size against PyTorch. The fixture (730 MB) is made on the first run by
// scripts/make-fixtures.py, on a processor in three minutes; where no python3 has PyTorch the tests are skipped, unless
// ALEXNET_REQUIRE names torch.
import test from 'ava';
import {execFile} from 'node:child_process';
import {existsSync, statSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {alexnet} from '../../lib/net/alexnet.ts';
import {listDevices} from '../../lib/device/device.ts';
import {isSimulated} from '../../lib/selftest/facts.ts';
import {testOn} from '../helpers/devices.ts';
import {falls, Fixture, observe} from '../helpers/fixtures.ts';
import {isRequired} from '../helpers/required.ts';
import {pythonWithTorch} from '../helpers/torch.ts';

const script = fileURLToPath(new URL('../../scripts/make-fixtures.py', import.meta.url));
const file = new URL('../../.cache/fixtures/paper.safetensors', import.meta.url);
const upToDate = existsSync(file) && statSync(file).mtimeMs > statSync(script).mtimeMs;
const python = upToDate ? undefined : pythonWithTorch();

if (upToDate || python !== undefined || isRequired('torch')) {
	test.serial.before('the fixture', async (t) => {
		if (upToDate) return;
		if (python === undefined) throw new Error('ALEXNET_REQUIRE names torch, but no python3 here has PyTorch.');
		t.log((await promisify(execFile)(python, [script, '--full', fileURLToPath(file)])).stdout);
	});

	test.serial("the fixture has the paper's architecture, and so have we", async (t) => {
		const fixture = await Fixture.open(file);
		t.deepEqual(alexnet({classes: 1000}), fixture.description.architecture);
		await fixture.close();
	});

	// On simulated GPUs it would take an hour: there placement.test.ts compares with the CPU, at two pictures.
	for (const {id} of listDevices().filter((device) => !isSimulated(device.id))) {
		for (const precision of ['fp32', 'bf16'] as const) {
			testOn([id], `the whole net in ${precision} on ${id} agrees with PyTorch`, async (t) => {
				const fixture = await Fixture.open(file);
				const results = await observe(await fixture.setup(), precision, id);
				t.deepEqual(await fixture.differences(results, precision), []);
				t.deepEqual([...results.keys()].sort(), fixture.names.sort());
				t.true(falls(results.get('losses')!), 'the loss falls');
				await fixture.close();
			});
		}
	}
} else {
	test.skip('the whole net agrees with PyTorch (needs python3-torch: apt-get install python3-torch)', (t) => t.fail());
}
