// Steps of several ranks against closed forms and against each other, on random nets, times and joints.
import test from 'ava';
import {alexnet} from '../../lib/net/alexnet.ts';
import type {Preset} from '../../lib/net/presets/index.ts';
import {blocksOf, sum, type Block} from '../../lib/scaling/blocks.ts';
import {dataParallelStep, type Exchange} from '../../lib/scaling/data-parallel.ts';
import {networks, type Network} from '../../lib/scaling/links.ts';
import {measuredStep, secondsOf, type RankStep} from '../../lib/scaling/rank-step.ts';
import {splitStep} from '../../lib/scaling/split.ts';
import {endOf} from '../../lib/scaling/timeline.ts';
import {Random} from '../../lib/selftest/random.ts';
import {near} from './near.ts';

const paper = blocksOf(alexnet({classes: 1000}));
const plain: Exchange = {
	...{network: '100GbE', perNode: 1, inside: 'NVLink4', efficiency: 0.8, latency: 0, path: 'gpu', sumRate: 0.5},
	...{wire: 'fp32', overlap: true},
};

function randomStep(random: Random, count: number): RankStep {
	const times = (): number[] => Array.from({length: count}, () => 0.1 * random.uniform());
	return {besides: random.uniform(), forward: times(), backward: times(), update: random.uniform()};
}

function randomBlocks(random: Random, count: number): Block[] {
	return Array.from({length: count}, (_, place) => ({
		...{name: `layer${place}`, isLinear: place >= count / 2, parameters: 1 + random.integer(1e8)},
		...{inputs: 1 + random.integer(1e4), outputs: 1 + random.integer(1e4), multiplications: 1 + random.integer(1e8)},
	}));
}

function randomExchange(random: Random): Exchange {
	const names = Object.keys(networks) as Network[];
	const path = (['cpu', 'host', 'gpu'] as const)[random.integer(3)]!;
	return {
		...plain,
		...{network: names[random.integer(names.length)]!, perNode: 2 ** random.integer(4), path},
		...{latency: 50 * random.uniform(), sumRate: 0.1 + 20 * random.uniform()},
	};
}

test('a net’s gradients are its parameters', (t) => {
	const expected: Partial<Record<Preset, number>> = {paper: 60_965_224, caffe: 60_965_224, owt: 61_100_840};
	for (const [preset, parameters] of Object.entries(expected)) {
		const blocks = blocksOf(alexnet({preset: preset as Preset, classes: 1000}));
		t.is(
			sum(blocks, (block) => block.parameters),
			parameters,
			preset,
		);
		const {bytesSent} = dataParallelStep(randomStep(new Random(preset), blocks.length), blocks, 2, plain);
		t.is(bytesSent, 4 * parameters, 'two ranks send all of it once');
	}
	t.deepEqual(
		paper.filter(({isLinear}) => isLinear).map(({name, inputs, outputs}) => [name, inputs, outputs]),
		[
			['fc6', 9216, 4096],
			['fc7', 4096, 4096],
			['fc8', 4096, 1000],
		],
	);
});

test('after the backward pass, sums add what they take; without a limit of bandwidth nothing', (t) => {
	const random = new Random(t.title);
	for (let round = 0; round < 50; ++round) {
		const step = randomStep(random, paper.length);
		const ranks = 2 + random.integer(100);
		const bytes = 4 * 60_965_224;
		const taken = (2 * (ranks - 1) * bytes) / ranks / 10e9;
		const {seconds, alone, shown} = dataParallelStep(step, paper, ranks, {...plain, overlap: false});
		near(t, seconds, secondsOf(step) + taken);
		near(t, alone, taken);
		near(t, shown, taken);
		near(t, dataParallelStep(step, paper, ranks, {...plain, efficiency: Infinity}).seconds, secondsOf(step));
		near(t, dataParallelStep(step, paper, 1, plain).seconds, secondsOf(step));
		const halved = dataParallelStep(step, paper, ranks, {...plain, overlap: false, wire: 'bf16'});
		near(t, halved.alone, taken / 2);
	}
});

test('of one block nothing is hidden; of two, the upper one behind the lower one’s backward pass', (t) => {
	const random = new Random(t.title);
	const [lower, upper] = randomBlocks(random, 2) as [Block, Block];
	const taken = ({parameters}: Block): number => (4 * parameters) / 10e9;
	const step = (backward: number[]): RankStep => ({besides: 0.1, forward: backward, backward, update: 0.2});
	near(t, dataParallelStep(step([0.3]), [upper], 2, plain).shown, taken(upper));
	for (let round = 0; round < 50; ++round) {
		const backward = 0.08 * random.uniform();
		const {shown} = dataParallelStep(step([backward, 1]), [lower, upper], 2, plain);
		near(t, 1 + shown, 1 + Math.max(0, taken(upper) - backward) + taken(lower));
	}
});

test('transfers go one behind the other on each of the things that they use', (t) => {
	const stage = (on: 'ring' | 'GPU links', seconds: number) => ({on, seconds, limit: 'network'}) as const;
	t.is(endOf([]), 0);
	const both = (seconds: number) => [stage('GPU links', seconds), stage('ring', seconds)];
	near(t, endOf(Array.from({length: 7}, () => ({ready: 0, stages: both(0.5)}))), 8 * 0.5);
	near(t, endOf([3, 1, 2].map((seconds) => ({ready: 0, stages: [stage('ring', seconds)]}))), 6);
	near(
		t,
		endOf([
			{ready: 10, stages: [stage('ring', 1)]},
			{ready: 10.5, stages: [stage('ring', 1)]},
		]),
		12,
	);
	near(
		t,
		endOf([
			{ready: 10, stages: [stage('ring', 1)]},
			{ready: 20, stages: [stage('ring', 1)]},
		]),
		21,
	);
});

test('what helps never costs: bandwidth, overlap, half the bytes, lower latency', (t) => {
	const random = new Random(t.title);
	for (let round = 0; round < 200; ++round) {
		const blocks = randomBlocks(random, 2 + random.integer(8));
		const step = randomStep(random, blocks.length);
		const joint = randomExchange(random);
		const ranks = joint.perNode * (1 + random.integer(20));
		const secondsWith = (change: Partial<Exchange>): number =>
			dataParallelStep(step, blocks, ranks, {...joint, ...change}).seconds;
		const {seconds, alone, shown} = dataParallelStep(step, blocks, ranks, joint);
		const allowed = seconds * (1 + 1e-12);
		t.true(secondsWith({efficiency: 0.9}) <= allowed);
		t.true(secondsWith({sumRate: joint.sumRate * 2}) <= allowed);
		t.true(secondsWith({wire: 'bf16'}) <= allowed);
		t.true(secondsWith({latency: 0}) <= allowed);
		t.true(secondsWith({overlap: false}) >= seconds * (1 - 1e-12));
		t.true(shown <= alone * (1 + 1e-12) && shown >= 0, `${shown} of ${alone}`);
		t.true(seconds >= secondsOf(step) * (1 - 1e-12));
	}
});

test('the split: on one rank the same step; on several it sends activations, and gradients of convolutions alone', (t) => {
	const random = new Random(t.title);
	const stepOf = measuredStep(paper, [[128, 1000]]);
	const alone = splitStep(stepOf, paper, {own: 128, total: 128}, {ranks: 1, valueBytes: 4}, plain);
	near(t, alone.seconds, 1);
	t.is(alone.bytesSent, 0);
	for (let round = 0; round < 20; ++round) {
		const [ranks, own, valueBytes] = [2 + random.integer(60), 1 + random.integer(256), 2 + 2 * random.integer(2)];
		const pictures = {own, total: ranks * own};
		const {bytesSent, seconds, computing} = splitStep(stepOf, paper, pictures, {ranks, valueBytes}, plain);
		const activations = ranks * own * valueBytes * (2 * (9216 + 4096 + 4096) + 1000);
		const convolutions = 60_965_224 - (9216 + 1) * 4096 - (4096 + 1) * 4096 - (4096 + 1) * 1000;
		near(t, bytesSent, ((ranks - 1) / ranks) * (activations + 2 * 4 * convolutions));
		t.true(seconds > computing);
		// Every multiplication is done by somebody.
		near(t, computing, own / 128);
	}
});

test('measured steps: as measured, in between on a line, and in proportion of one batch', (t) => {
	const random = new Random(t.title);
	const one = measuredStep(paper, [[16, 1300]]);
	for (const pictures of [1, 16, 100]) near(t, secondsOf(one(pictures)), (1.3 / 16) * pictures);
	const several = measuredStep(paper, [
		[64, 5600],
		[16, 1600],
		[128, 12_000],
	]);
	for (const [pictures, seconds] of [
		[16, 1.6],
		[64, 5.6],
		[128, 12],
		[40, 3.6],
		[256, 24.8],
		[8, 0.9333333333333333],
	] as const) {
		near(t, secondsOf(several(pictures)), seconds);
	}
	// The line through 16 and 64 begins below 0 here, so fewer pictures take their share.
	const steep = measuredStep(paper, [
		[16, 1000],
		[64, 5000],
	]);
	near(t, secondsOf(steep(8)), 0.5);
	const {forward, backward} = several(1 + random.integer(200));
	near(t, backward[0]!, forward[0]!);
	for (const place of [1, 4, 7]) near(t, backward[place]!, 2 * forward[place]!);
});
