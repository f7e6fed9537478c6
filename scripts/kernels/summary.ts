// What stands above the tables: how far the model is to be trusted, and what it says of whole steps.
import {flopsOf, gpus, type Gpu} from '../../benchmarks/gpus.ts';
import type {Facts} from '../../benchmarks/kernel-facts.ts';
import {modelOfTrial} from '../../benchmarks/modelled.ts';
import {costOf} from '../../benchmarks/trials.ts';
import type {Precision} from '../../lib/net/options.ts';
import {dearest} from './card.ts';
import {checksOf} from './checks.ts';

const batchSize = 128;

export function summaryOf(facts: Facts): string {
	const tools = [facts.compiler, facts.disassembler ?? 'no disassembler, so no instruction counts'].join(', ');
	return [
		`Facts by ${tools}. No time below is measured but those headed so: the rest is **modelled** (benchmarks/model.ts).`,
		table(
			['check of the model', 'modelled', 'measured', 'modelled / measured', 'measured by'],
			checksOf(facts).map(({what, unit, modelled, measured, source}) => [
				what,
				modelled === undefined ? '-' : `${modelled.toFixed(0)} ${unit}`,
				`${measured} ${unit}`,
				modelled === undefined ? '-' : (modelled / measured).toFixed(2),
				source,
			]),
		),
		table(
			[
				'a training step of 128, one GPU',
				'fp32 ms, modelled',
				'bf16 ms, modelled',
				'floor of bf16, ms',
				'dearest in bf16',
			],
			gpus.map((gpu) => [
				gpu.name,
				tell(stepOf('fp32', gpu, facts)),
				tell(stepOf('bf16', gpu, facts)),
				floorOf(gpu),
				stepOf('bf16', gpu, facts) === undefined ? '-' : dearest(facts, 'bf16', gpu, 3).join(', '),
			]),
		),
	].join('\n\n');
}

const tell = (value: number | undefined): string => value?.toFixed(2) ?? '-';

function stepOf(precision: Precision, gpu: Gpu, facts: Facts): number | undefined {
	return modelOfTrial('train-step', batchSize, precision, gpu, facts)?.milliseconds;
}

/** By the data sheet, one after the other: what the memory takes, and what the arithmetic does. */
function floorOf(gpu: Gpu): string {
	const {bytes, operations} = costOf('train-step', batchSize, 'bf16');
	const memory = bytes / gpu.dataSheet.gigabytesPerSecond / 1e6;
	const arithmetic = (operations / flopsOf(gpu, 'bf16')) * 1000;
	return `${memory.toFixed(2)} + ${arithmetic.toFixed(2)}`;
}

function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
	const alignments = headers.map(() => '---');
	return [headers, alignments, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
