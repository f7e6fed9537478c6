import type {Command} from 'commander';
import {dataBenchmark, dataTable, runData} from '../../benchmarks/data.ts';
import {modelledRows} from '../../benchmarks/modelled.ts';
import {benchmarkDevices, runTrials, type BenchmarkOptions} from '../../benchmarks/run.ts';
import {runShared, sharedMachine, sharedTable} from '../../benchmarks/shared-machine.ts';
import {benchmarkTable, describeMachine, modelledTable} from '../../benchmarks/table.ts';
import {modelTrials, trialNames, trialsOn} from '../../benchmarks/trials.ts';
import {integer, option, suggestion, text} from '../../lib/base/check.ts';
import {describeRun} from '../devices-in-words.ts';
import {exitCodes} from '../exit-codes.ts';
import {table} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks, runFlags, type RunCommandOptions} from '../parse.ts';

interface BenchCommandOptions extends RunCommandOptions {
	batchSize: number;
	repetitions?: number;
	simulated?: string;
}

export function addBench(program: Command): void {
	const command = program
		.command('bench')
		.summary('measure speed, of the net and of its operations')
		.description(
			'Measure how long a training step, inference or a single operation takes at the shapes of AlexNet, each in a ' +
				'process of its own, and how near that is to what this machine can do.',
		)
		.argument(
			'[trial]',
			"a trial, the beginning of some trials' names, 'all', 'shared-machine', or 'data', how fast pictures come; " +
				"'list' tells them",
		)
		.argument('[folder]', "of pictures, prepared or not, for 'data'; some are made where it is left out");
	const checks = {
		...commonChecks,
		repetitions: option(integer(1), 'samples taken of each trial'),
		simulated: option(text, 'needs no GPU: prints what the model says of one, such as H100; nothing is measured'),
	};
	const flags = ['--batch-size <number>', '--repetitions <number>', '--simulated <gpu>', '--json'];
	addOptions(command, checks, ...runFlags, ...flags);
	command.action(async (pattern: string | undefined, folder: string | undefined, options: BenchCommandOptions) => {
		if (pattern === dataBenchmark) return bench((given) => pictures(folder, given), modelTrials, options);
		if (folder !== undefined)
			command.error(`error: '${folder}': only 'data' takes a folder`, {exitCode: exitCodes.usage});
		if (pattern === sharedMachine) return bench(shared, modelTrials, options);
		const names = [...trialNames(), sharedMachine, dataBenchmark];
		if (pattern === 'list') {
			const output = new Output(options);
			output.json(names);
			if (!output.isJson) output.result(names.join('\n'));
			return;
		}
		const trials = pattern === undefined ? modelTrials : chosen(pattern, options.device.split(',').length);
		if (trials.length === 0) {
			const advice = suggestion(pattern ?? '', names) ?? `Trials: ${names.join(', ')}`;
			command.error(`error: there is no trial '${pattern ?? ''}'. ${advice}`, {exitCode: exitCodes.usage});
		}
		if (options.simulated !== undefined) {
			tellModelled(trials, options.simulated, options);
			return;
		}
		return bench((given) => measured(trials, given), trials, options);
	});
}

/** What can run on so many devices, where no trial is named in full. */
function chosen(pattern: string, devices: number): readonly string[] {
	if (trialNames().includes(pattern)) return [pattern];
	return trialsOn(devices).filter((name) => pattern === 'all' || name.startsWith(pattern));
}

function tellModelled(trials: readonly string[], gpu: string, {precision, batchSize, json}: BenchCommandOptions): void {
	const output = new Output({json});
	const rows = modelledRows(trials, {gpu, precision, batchSize});
	const {header, cells} = modelledTable(rows);
	output.json(rows);
	if (output.isJson) return;
	const title = `Modelled for ${rows[0]?.modelledFor ?? gpu} in ${precision}, not measured (benchmarks/model.ts):`;
	output.result([title, table(header, cells)].join('\n'));
}

/** What there is to tell, as JSON and in words. */
interface Told {
	rows: readonly object[];
	text: string;
	/** Why there is no more. */
	failure?: Error | undefined;
}

async function measured(trials: readonly string[], options: BenchmarkOptions): Promise<Told> {
	const {rows, failure} = await runTrials(trials, options);
	const {header, cells} = benchmarkTable(rows);
	return {rows, text: [table(header, cells), ...describeMachine(rows)].join('\n'), failure};
}

/** How much of the speed is kept beside busy processes. */
async function shared(options: BenchmarkOptions): Promise<Told> {
	const rows = await runShared(options);
	const {header, cells} = sharedTable(rows);
	return {rows, text: table(header, cells)};
}

/** How fast they come, and how long a step waits for them. */
async function pictures(folder: string | undefined, options: BenchmarkOptions): Promise<Told> {
	const rows = await runData(folder, options);
	const {header, cells, waits} = dataTable(rows);
	return {rows, text: [table(header, cells), waits].join('\n')};
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
	const {rows, text, failure} = await run(given).finally(() => output.clear());
	output.json(rows);
	if (!output.isJson) output.result(text);
	if (failure) throw failure;
}
