// Rings against closed forms, with random sizes.
import test from 'ava';
import {Random} from '../../lib/selftest/random.ts';
import {shareSent, stagesOf, type Joint} from '../../lib/scaling/collectives.ts';
import {networks} from '../../lib/scaling/links.ts';
import {near} from './near.ts';

const joint: Joint = {
	...{network: '25GbE', perNode: 1, inside: 'NVLink4', efficiency: 0.8, latency: undefined, path: 'gpu', sumRate: 0.5},
};
const total = (stages: readonly {seconds: number}[]): number => stages.reduce((sum, {seconds}) => sum + seconds, 0);

test('two ranks send all bytes once, in two messages', (t) => {
	const random = new Random(t.title);
	for (const [network, {gigabytesPerSecond, microseconds}] of Object.entries(networks)) {
		const bytes = 1e9 * random.uniform();
		const stages = stagesOf({ranks: 2, bytes, rounds: 2}, {...joint, network: network as keyof typeof networks});
		near(t, total(stages), bytes / (0.8e9 * gigabytesPerSecond) + 2e-6 * microseconds);
	}
});

test('any number of ranks: 2 (n - 1) / n of the bytes, 2 (n - 1) messages, and half of both for one round', (t) => {
	const random = new Random(t.title);
	for (let round = 0; round < 100; ++round) {
		const [ranks, bytes, latency] = [2 + random.integer(1000), 1e9 * random.uniform(), 100 * random.uniform()];
		const given = {...joint, latency};
		const expected = (2 * (ranks - 1) * bytes) / ranks / 2.5e9 + 2 * (ranks - 1) * latency * 1e-6;
		near(t, total(stagesOf({ranks, bytes, rounds: 2}, given)), expected);
		near(t, total(stagesOf({ranks, bytes, rounds: 1}, given)), expected / 2);
		near(t, shareSent(ranks) + 1 / ranks, 1);
	}
});

test('without end of bandwidth messages remain, without latency bytes, of one rank nothing', (t) => {
	const [stage] = stagesOf({ranks: 9, bytes: 1e8, rounds: 2}, {...joint, efficiency: Infinity});
	near(t, stage!.seconds, 16 * 20e-6);
	t.is(stage!.limit, 'latency');
	const [other] = stagesOf({ranks: 9, bytes: 1e8, rounds: 2}, {...joint, latency: 0});
	near(t, other!.seconds, (16 / 9) * (1e8 / 2.5e9));
	t.is(other!.limit, 'network');
	for (const path of ['cpu', 'host', 'gpu'] as const) {
		t.deepEqual(stagesOf({ranks: 1, bytes: 1e8, rounds: 2}, {...joint, path}), []);
	}
});

test('ranks of a machine meet on its links first, and the machines over one link each', (t) => {
	const random = new Random(t.title);
	const bytes = 1e9 * random.uniform();
	const given = {...joint, perNode: 8, latency: 0};
	const [links, ring] = stagesOf({ranks: 32, bytes, rounds: 2}, given);
	near(t, links!.seconds, ((14 / 8) * bytes) / 360e9 + 14 * 3e-6);
	near(t, ring!.seconds, ((6 / 4) * bytes) / 2.5e9);
	t.deepEqual(
		stagesOf({ranks: 4, bytes, rounds: 2}, given).map(({on}) => on),
		['GPU links'],
	);
});

test('through the host gradients are copied there and back, and added up at the rate of MPI or of the network', (t) => {
	const random = new Random(t.title);
	const bytes = 1e9 * random.uniform();
	const host = {...joint, path: 'host'} as const;
	const stages = stagesOf({ranks: 4, bytes, rounds: 2, hostBytes: 2 * bytes}, host);
	t.deepEqual(
		stages.map(({on}) => on),
		['copies to the host', 'ring', 'copies to the GPU'],
	);
	const [out, ring, back] = stages;
	for (const copy of [out!, back!]) near(t, copy.seconds, (2 * bytes) / 25.2e9);
	near(t, ring!.seconds, (1.5 * bytes) / 0.5e9 + 6e-6);
	t.is(ring!.limit, 'adding');
	const fast = stagesOf({ranks: 4, bytes, rounds: 2}, {...joint, path: 'cpu', sumRate: 1000, latency: 0});
	t.is(fast[0]!.limit, 'network');
	near(t, total(fast), (1.5 * bytes) / 2.5e9);
});
