// Memory that is just short: what passes the check before a net or a step is begun must train, evaluate and save. On
// simulated GPUs that hand out blocks of 2 MiB, as drivers do.
import anyTest from 'ava';
import {requireBuild} from '../simulator/build.ts';
import {nvcc, test} from './nvcc.ts';
import type {Attempt} from './short-memory-child.ts';
import {onSimulatedGpus} from './simulated.ts';

anyTest.before(() => {
	if (nvcc !== undefined) requireBuild();
});

/** More than twice what the net needs, of each GPU for each device on it. */
const enough = 24 * 2 ** 20;
/** How the check refuses; what fails later says otherwise. */
const refusal = /^(net: Out of memory on cuda:\d: This net|first step: Out of memory on cuda:\d: A training step of) /;

for (const devices of [['cuda:0'], ['cuda:0', 'cuda:1'], ['cuda:0', 'cuda:0']]) {
	for (const precision of ['fp32', 'bf16']) {
		test(`whatever passes the check trains, evaluates and saves: ${precision} on ${devices.join(' and ')}`, (t) => {
			const args = [precision, ...devices];
			const share = devices.length / new Set(devices).size;
			const simulated = {MEMORY: String(enough * share), BLOCK: String(2 ** 21), PROCESSORS: '4'};
			// What is counted for graphs, which take none here, would hide what is missing.
			const settings = {...simulated, ALEXNET_GRAPH: '0'};
			const {status, stdout, stderr} = onSimulatedGpus(settings, 'test/cuda/short-memory-child.ts', args);
			t.is(status, 0, stderr);
			t.is(stderr, '');
			const attempts = JSON.parse(stdout) as Attempt[];
			const refused = attempts.filter(({outcome}) => outcome !== 'whole');
			for (const {free, outcome} of refused) t.regex(outcome, refusal, `${free} bytes`);
			const least = Math.min(...attempts.flatMap(({free, outcome}) => (outcome === 'whole' ? [free] : [])));
			t.true(
				refused.some(({outcome}) => outcome.startsWith('net')),
				'down to where nothing fits',
			);
			t.true(
				attempts.some(({free}) => free >= 2 * least),
				`up to twice ${least}`,
			);
		});
	}
}
