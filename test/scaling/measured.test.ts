// The model against what two ranks on two cores were measured to take: benchmarks/README.md, gradients of several ranks.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {alexnet} from '../../lib/net/alexnet.ts';
import {blocksOf} from '../../lib/scaling/blocks.ts';
import {dataParallelStep, type Exchange} from '../../lib/scaling/data-parallel.ts';
import {planOptions} from '../../lib/scaling/options.ts';
import {measuredStep} from '../../lib/scaling/rank-step.ts';
import {root} from '../helpers/sources.ts';

const text = readFileSync(join(root, 'benchmarks/README.md'), 'utf8');
const numbers = (cells: string | undefined): number[] => (cells?.match(/[\d.]+/g) ?? []).map(Number);
const rowOf = (pictures: number) => {
	const cells = new RegExp(`^\\| ${pictures} +\\|(.*)\\|(.*)\\|(.*)\\|$`, 'm').exec(text) ?? [];
	const [, alone, together, longer] = cells.map(numbers);
	return {alone: alone!, together: together!, longer: longer!};
};
const rates = numbers(/, ([\d.]+ to [\d.]+) ns a byte/.exec(text)?.[1]);
const sums = numbers(/takes ([\d.]+ to [\d.]+) s alone/.exec(text)?.[1]);
const blocks = blocksOf(alexnet({classes: 1000}));

function stepWith(pictures: number, nanosecondsAByte: number, overlap: boolean) {
	const {alone} = rowOf(pictures);
	const stepOf = measuredStep(blocks, [[pictures, 1000 * Math.min(...alone)]]);
	const joint: Exchange = {
		...{network: '25GbE', inside: 'NVLink4', efficiency: 0.8, latency: undefined, wire: 'fp32'},
		...{path: 'cpu', perNode: 2, sumRate: 1 / nanosecondsAByte, overlap},
	};
	return dataParallelStep(stepOf(pictures), blocks, 2, joint);
}

test('the figures are there, and the default rate is one of those measured', (t) => {
	t.deepEqual([rates.length, sums.length], [2, 2]);
	const rate = planOptions.checks.sumRate.default;
	t.true(rate >= 1 / rates[1]! && rate <= 1 / rates[0]!, `${rate}`);
	// The seconds of all gradients: to the digits that are printed.
	for (const [place, rate] of rates.entries()) {
		t.true(Math.abs(stepWith(16, rate, false).alone - sums[place]!) < 0.02, `${rate} ns a byte`);
	}
});

test('16 pictures a rank, whose one core adds up or computes: two of three increases are foretold within a tenth', (t) => {
	const [least, most] = rates.map((rate) => stepWith(16, rate, false).shown);
	const foretold = rowOf(16).longer.filter((seconds) => seconds > 0.9 * least! && seconds < 1.1 * most!);
	t.is(foretold.length, 2, `${least} to ${most}; the third run was disturbed`);
});

test('64 pictures: between all hidden and nothing hidden, as far as steps differ from each other', (t) => {
	const {alone, longer} = rowOf(64);
	const hidden = stepWith(64, rates[1]!, true).shown;
	t.true(hidden < 0.05, `${hidden}`);
	const spread = Math.max(...alone) - Math.min(...alone);
	for (const seconds of longer) t.true(Math.abs(seconds - hidden) < spread);
});
