// Steps as CUDA graphs on real GPUs: the bits of the ordinary path. On simulated GPUs test/cuda/graph.slow.test.ts tells more.
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Scenario, Told} from '../cuda/graph-child.ts';
import {listDevices} from '../../lib/device/device.ts';
import {isSimulated} from '../../lib/selftest/facts.ts';
import {testOn} from '../helpers/devices.ts';
import {root} from '../helpers/sources.ts';

const boards = listDevices().flatMap(({kind, id}) => (kind === 'cuda' && !isSimulated(id) ? [id] : []));

function run(t: ExecutionContext, scenario: Scenario, graphs: '0' | '1'): Told {
	const program = ['--import=tsx', join(root, 'test/cuda/graph-child.ts'), JSON.stringify(scenario)];
	const env = {...process.env, ALEXNET_GRAPH: graphs};
	const {status, stdout, stderr} = spawnSync(process.execPath, program, {cwd: root, env, encoding: 'utf8'});
	t.is(status, 0, stderr);
	return JSON.parse(stdout) as Told;
}

const [first, second = first] = boards;
for (const devices of first === undefined || second === undefined ? [] : [[first], [first, second]]) {
	for (const precision of ['fp32', 'bf16'] as const) {
		testOn(devices, `the bits do not depend on graphs: ${precision} on ${devices.join(' and ')}`, (t) => {
			const scenario = {devices, precision, freeze: precision === 'bf16' ? ['conv1'] : [], name: 'course'} as const;
			const without = run(t, scenario, '0');
			t.true(without.events.length > 20);
			t.deepEqual(run(t, scenario, '1'), without, 'among them no warnings: none was refused');
		});
	}
}
