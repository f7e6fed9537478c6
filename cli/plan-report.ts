// What `alexnet plan` tells, in words and as JSON.
import {sum, type Block} from '../lib/scaling/blocks.ts';
import {bytesOfValue} from '../lib/scaling/data-parallel.ts';
import {networks, type Network} from '../lib/scaling/links.ts';
import type {Planned} from '../lib/scaling/options.ts';
import {paysUpTo, type Plan, type PlannedRow, type PlannedStep} from '../lib/scaling/plan.ts';
import {count, percent, table} from './format.ts';

export interface ToldPlan {
	readonly options: Planned;
	readonly blocks: readonly Block[];
	/** What a rank is. */
	readonly rank: string;
	readonly plan: Plan;
}

export function planJson({options, blocks, rank, plan}: ToldPlan): object {
	const {strong, weak} = plan;
	return {
		...{rank, modelled: true, options, gradientBytes: gradientBytes(options, blocks), strong, weak},
		paysUpTo: {
			strong: {data: paysUpTo(strong), split: paysUpTo(strong, 'split')},
			weak: {data: paysUpTo(weak), split: paysUpTo(weak, 'split')},
		},
	};
}

export function planText(told: ToldPlan): string {
	const {options, plan} = told;
	const {batchSize, ranks} = options;
	return [
		head(told),
		`\nStrong scaling, ${count(batchSize, 'picture')} a step in all${batchSize < ranks ? ', so for as many ranks at most' : ''}:`,
		...[planTable(plan.strong), verdict(plan.strong)],
		`\nWeak scaling, ${count(batchSize, 'picture')} a step on each rank:`,
		...[planTable(plan.weak), verdict(plan.weak)],
		'\nsplit: convolutions by data, fully connected layers by model (Krizhevsky 2014), none of its activations hidden.',
	].join('\n');
}

function gradientBytes({wire}: Planned, blocks: readonly Block[]): number {
	return bytesOfValue[wire] * sum(blocks, ({parameters}) => parameters);
}

const paths: Readonly<Record<Planned['path'], string>> = {
	cpu: 'Gradients are in memory, where MPI adds them up',
	host: 'As in this package, gradients go through the host’s memory, where MPI adds them up',
	gpu: 'Gradients go straight from GPU to GPU, which this package cannot do yet',
};

function head({options, blocks, rank}: ToldPlan): string {
	const {preset, precision, wire, network, path, perNode, inside, sumRate, efficiency, latency, overlap} = options;
	const bytes = gradientBytes(options, blocks);
	const linear = gradientBytes(
		options,
		blocks.filter(({isLinear}) => isLinear),
	);
	const machine = path === 'gpu' ? ` joined by ${linkOf(inside)}` : '';
	return [
		'Modelled, not measured: docs/scaling.md says from what.',
		`Net: ${preset}, ${precision}; ${megabytes(bytes)} MB of gradients in ${wire}, ${percent(linear / bytes)} of them of fully connected layers.`,
		`A rank: ${rank}.${perNode > 1 ? ` A machine has ${perNode}${machine}.` : ''}`,
		`Network: ${linkOf(network, latency)}; messages get ${percent(efficiency)} of the bandwidth.`,
		`${paths[path]}${path === 'gpu' ? '' : ` at ${sumRate} GB/s`}${overlap ? '' : ', after the backward pass'}.`,
	].join('\n');
}

function linkOf(name: Network, latency: number = networks[name].microseconds): string {
	return `${name}, ${networks[name].gigabytesPerSecond} GB/s each way, ${latency} us a message`;
}

function planTable(rows: readonly PlannedRow[]): string {
	const header = [
		'ranks',
		'pictures',
		'compute ms',
		'step ms',
		'images/s',
		'efficiency',
		'hidden',
		'bound by',
		'MB sent',
	];
	return table(
		[...header, 'split: step ms', 'efficiency', 'MB sent'],
		rows.map(({ranks, pictures, data, split}) => [
			...[String(ranks), String(Math.ceil(pictures / ranks)), data.computeMs.toFixed(2), data.stepMs.toFixed(2)],
			...[data.imagesPerSecond.toFixed(0), percent(data.efficiency), percent(data.hiddenShare), data.limit],
			...[megabytes(data.megabytesSent * 1e6), split.stepMs.toFixed(2), percent(split.efficiency)],
			megabytes(split.megabytesSent * 1e6),
		]),
	);
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** Where it stops paying, and what the split has to say to that. */
function verdict(rows: readonly PlannedRow[]): string {
	const next = rows.find(({ranks}) => ranks > paysUpTo(rows));
	const largest = rows.at(-1);
	if (!largest || largest.ranks === 1) return 'One rank has nobody to share with.';
	const data = sentence('Data parallelism', rows, 'data');
	const split = sentence('The split', rows, 'split');
	const {ranks, data: one, split: other} = next ?? largest;
	const compared = `with ${ranks} ranks its step takes ${other.stepMs.toFixed(2)} ms instead of ${one.stepMs.toFixed(2)}`;
	return `${data}.\n${split}; ${compared}.`;
}

function sentence(what: string, rows: readonly PlannedRow[], which: 'data' | 'split'): string {
	const last = paysUpTo(rows, which);
	const [alone, next] = [rows[0], rows.find(({ranks}) => ranks > last)];
	const told = (row: PlannedRow | undefined): string => percent(row?.[which].efficiency ?? NaN);
	const lastTold = told(rows.find(({ranks}) => ranks === last));
	if (!next || !alone) return `${what} pays up to all ${last} ranks (efficiency ${lastTold})`;
	const {ranks, [which]: step} = next;
	const rate = (images: number): string => images.toFixed(images < 100 ? 1 : 0);
	return last === 1
		? `${what} does not pay: ${ranks} ranks make ${rate(step.imagesPerSecond)} images/s, one alone ${rate(alone[which].imagesPerSecond)}; ${reasons[step.limit]}`
		: `${what} pays up to ${last} ranks (efficiency ${lastTold}); ${ranks} have ${told(next)}, less than half: ${reasons[step.limit]}`;
}

const reasons: Readonly<Record<PlannedStep['limit'], string>> = {
	compute: 'what a rank computes shrinks less than its pictures',
	latency: 'messages take long besides their bytes',
	network: 'the network is busy longest',
	adding: 'adding up is what takes longest',
	'GPU links': 'the links between GPUs are busy longest',
	'copies to the host': 'the copies to the host take longest',
	'copies to the GPU': 'the copies to the GPU take longest',
};
