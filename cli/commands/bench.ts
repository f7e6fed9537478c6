import type {Command} from 'commander';
import {benchmarkDevices, runTrials, type BenchmarkOptions} from '../../benchmarks/run.ts';
import {runShared, sharedMachine, sharedTable} from '../../benchmarks/shared-machine.ts';
import {benchmarkTable, describeMachine} from '../../benchmarks/table.ts';
import {trialNames} from '../../benchmarks/trials.ts';
import {integer, option, suggestion} from '../../lib/base/check.ts';
import {describeRun} from '../devices-in-words.ts';
import {exitCodes} from '../exit-codes.ts';
import {table} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks, runFlags, type RunCommandOptions} from '../parse.ts';

interface BenchCommandOptions extends RunCommandOptions {
	batchSize: number;
	repetitions?: number;
}

/** What runs where no trial is named: what users wait for. */
const wholeNet = ['train-step', 'inference'];

export function addBench(program: Command): void {
	const command = program
		.command('bench')
		.summary('measure speed, of the net and of its operations')
		.description(
			'Measure how long a training step, inference or a single operation takes at the shapes of AlexNet, each in a ' +
				'process of its own, and how near that is to what this machine can do.',
		)
		.argument('[trial]', "a trial, the beginning of some trials' names, 'all', or 'shared-machine'; 'list' tells them");
	const checks = {...commonChecks, repetitions: option(integer(1), 'samples taken of each trial')};
	addOptions(command, checks, ...runFlags, '--batch-size <number>', '--repetitions <number>', '--json');
	command.action(async (pattern: string | undefined, options: BenchCommandOptions) => {
		if (pattern === sharedMachine) return bench(shared, wholeNet, options);
		const names = [...trialNames(), sharedMachine];
		if (pattern === 'list') {
			const output = new Output(options);
			output.json(names);
			if (!output.isJson) output.result(names.join('\n'));
			return;
		}
		const trials = pattern === undefined ? wholeNet : chosen(trialNames(), pattern);
		if (trials.length === 0) {
			const advice = suggestion(pattern ?? '', names) ?? `Trials: ${names.join(', ')}`;
			command.error(`error: there is no trial '${pattern ?? ''}'. ${advice}`, {exitCode: exitCodes.usage});
		}
		return bench((given) => measured(trials, given), trials, options);
	});
}

function chosen(names: readonly string[], pattern: string): readonly string[] {
	if (names.includes(pattern)) return [pattern];
	return names.filter((name) => pattern === 'all' || name.startsWith(pattern));
}

/** What there is to tell, as JSON and in words. */
interface Told {
	rows: readonly object[];
	text: string;
}

async function measured(trials: readonly string[], options: BenchmarkOptions): Promise<Told> {
	const rows = await runTrials(trials, options);
	const {header, cells} = benchmarkTable(rows);
	return {rows, text: [table(header, cells), ...rows.slice(0, 1).map(describeMachine)].join('\n')};
}

/** How much of the speed is kept beside busy processes. */
async function shared(options: BenchmarkOptions): Promise<Told> {
	const rows = await runShared(options);
	const {header, cells} = sharedTable(rows);
	return {rows, text: table(header, cells)};
}

async function bench(
	run: (options: BenchmarkOptions) => Promise<Told>,
	trials: readonly string[],
	options: BenchCommandOptions,
): Promise<void> {
	const output = new Output(options);
	const {threads, precision, batchSize, repetitions} = options;
	const devices = benchmarkDevices(options.device.split(','), trials);
	output.note(describeRun({devices, precision, threads}));
	using interruptible = new Interruptible(() => output.note('Ending.'));
	const {signal} = interruptible;
	const onProgress = (trial: string, done: number): void => output.progress(trial, done, trials.length);
	const given = {devices, threads, precision, batchSize, repetitions, signal, onProgress};
	const {rows, text} = await run(given).finally(() => output.clear());
	output.json(rows);
	if (!output.isJson) output.result(text);
}
