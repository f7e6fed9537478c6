// The report card: a row for each operation of the net, facts first, then what is modelled, then what was measured.
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gpuNamed, limits, type Gpu} from '../../benchmarks/gpus.ts';
import type {Facts, Instructions, OperationFacts} from '../../benchmarks/kernel-facts.ts';
import {isSecondary} from '../../benchmarks/launch-work.ts';
import {kernelOf, loopOf, modelOf, slotsOverTensorTime} from '../../benchmarks/model.ts';
import {modelOfTrial} from '../../benchmarks/modelled.ts';
import {occupancyOf} from '../../benchmarks/occupancy.ts';
import type {Product} from '../../benchmarks/operation.ts';
import {costOf, operationTrial} from '../../benchmarks/trials.ts';
import {root} from '../../test/helpers/sources.ts';
import type {Precision} from '../../lib/net/options.ts';

/** The GPU whose launches the tables show, those that times are modelled for, and the one that was measured. */
const shown = gpu('H100');
const modelled = ['H100', 'A100 80GB', 'RTX 4090'].map(gpu);
const measured = {gpu: gpu('H200'), folder: 'benchmarks/measured/nvidia-h200'};
const batchSize = 128;

function gpu(name: string): Gpu {
	const found = gpuNamed(name);
	if (!found) throw new Error(`benchmarks/gpus.ts has no ${name}.`);
	return found;
}

/** A Markdown table for each precision, and the net's times below. */
export function cardOf(facts: Facts): string {
	return (['fp32', 'tf32', 'bf16'] as const).map((precision) => precisionTable(facts, precision)).join('\n\n');
}

function precisionTable(facts: Facts, precision: Precision): string {
	const times = measuredTimes(precision);
	const headers = [
		...['operation', 'product', 'kernel', 'registers', 'shared KB', 'blocks an SM, by', 'waves', 'DRAM MB'],
		...['instructions a product', 'slots / tensor'],
		...modelled.map(({name}) => `modelled us, ${name}`),
		`modelled us, ${measured.gpu.name}`,
		`measured us, ${measured.gpu.name}`,
		'measured / modelled',
	];
	const operations = facts.operations.filter((operation) => {
		return (
			operation.precision === precision &&
			operation.batchSize === batchSize &&
			operation.computeCapability === shown.computeCapability
		);
	});
	const rows = operations.map((operation) => [
		...factCells(operation, facts),
		...[...modelled, measured.gpu].map((each) => cell(timeOf(operation.trial, precision, each, facts), tellTime)),
		...measuredCells(times.get(operation.trial), timeOf(operation.trial, precision, measured.gpu, facts)),
	]);
	const totals = (['training', 'inference', 'inference-1'] as const).map((trial) => [
		`**${trial}**`,
		...Array<string>(9).fill(''),
		...[...modelled, measured.gpu].map((each) => cell(timeOf(trial, precision, each, facts), tellTime)),
		...measuredCells(times.get(trial), timeOf(trial, precision, measured.gpu, facts)),
	]);
	const alignments = headers.map((_, index) => (index < 3 ? '---' : '---:'));
	const lines = [headers, alignments, ...rows, ...totals].map((cells) => `| ${cells.join(' | ')} |`);
	return [`**${precision}**, batch ${batchSize}, launches of an ${shown.name}:`, '', ...lines].join('\n');
}

const tellTime = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
const cell = (value: number | undefined, tell: (value: number) => string): string =>
	value === undefined ? '-' : tell(value);

function factCells(operation: OperationFacts, facts: Facts): string[] {
	const {trial, precision} = operation;
	const launch = operation.launches.find((each) => !isSecondary(each));
	const kernel = launch && kernelOf(facts, launch, operation.computeCapability);
	const limit = limits[operation.computeCapability];
	if (!launch || !kernel || !limit) return [trial, ...Array<string>(9).fill('-')];
	const {product} = operationTrial(trial, batchSize, precision);
	const {blocks, limit: by} = occupancyOf({...launch, registers: kernel.registers}, limit);
	const total = launch.grid[0] * launch.grid[1] * launch.grid[2];
	const loop = product && loopOf(kernel, launch);
	const besides = operation.launches.length - 1;
	return [
		trial,
		product ? tellProduct(product) : '',
		`\`${kernel.kernel}\`${besides > 0 ? ` and ${besides} more` : ''}`,
		String(kernel.registers),
		(launch.sharedBytes / 1024).toFixed(0),
		`${blocks}, ${by}`,
		(total / (blocks * operation.multiprocessors)).toFixed(1),
		(costOf(trial, batchSize, precision).bytes / 1e6).toFixed(1),
		loop ? instructionsOf(loop) : product ? '-' : '',
		loop && loop.hmma > 0 ? slotsOverTensorTime(loop, shown).toFixed(2) : '',
	];
}

function tellProduct({rows, columns, depth, groups}: Product): string {
	const numbers = [rows, columns, depth].map((number) => number.toLocaleString('en-US')).join(' x ');
	return groups > 1 ? `${numbers}, ${groups} groups` : numbers;
}

const instructionsOf = ({all, ffma, hmma}: Instructions): string => (all / (hmma > 0 ? hmma : ffma)).toFixed(2);

/** Microseconds. */
function timeOf(trial: string, precision: Precision, each: Gpu, facts: Facts): number | undefined {
	const time = modelOfTrial(trial, batchSize, precision, each, facts);
	return time && 1000 * time.milliseconds;
}

function measuredCells(took: number | undefined, predicted: number | undefined): string[] {
	return [cell(took, tellTime), took === undefined || predicted === undefined ? '-' : (took / predicted).toFixed(2)];
}

/** Microseconds by trial; none of a precision that was not measured. */
function measuredTimes(precision: Precision): Map<string, number> {
	const file = join(root, measured.folder, `bench-${precision}.json`);
	if (!existsSync(file)) return new Map();
	const rows = JSON.parse(readFileSync(file, 'utf8')) as {trial: string; medianMs: number}[];
	return new Map(rows.map(({trial, medianMs}) => [trial, 1000 * medianMs]));
}

/** The operations that take longest in the model, and so where an hour of work brings most. */
export function dearest(facts: Facts, precision: Precision, each: Gpu, count: number): string[] {
	const times = facts.operations
		.filter((operation) => {
			return (
				operation.precision === precision &&
				operation.batchSize === batchSize &&
				operation.computeCapability === each.computeCapability
			);
		})
		.flatMap((operation) => {
			const trial = operationTrial(operation.trial, batchSize, precision);
			const time = modelOf(operation, facts, trial, each);
			return time ? [{name: operation.trial, ms: (trial.inTraining * time.microseconds) / 1000, by: time.by}] : [];
		});
	return times
		.toSorted((a, b) => b.ms - a.ms)
		.slice(0, count)
		.map(({name, ms, by}) => `${name} ${ms.toFixed(2)} ms (${by})`);
}
