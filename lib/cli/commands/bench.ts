import type {Command} from 'commander';
import {benchmarkDevices, runTrials} from '../../../benchmarks/run.ts';
import {benchmarkTable, describeMachine} from '../../../benchmarks/table.ts';
import {trialNames} from '../../../benchmarks/trials.ts';
import type {Precision} from '../../index.ts';
import {describeRun} from '../devices-in-words.ts';
import {exitCodes} from '../exit-codes.ts';
import {table} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {Output} from '../output.ts';
import {commonOptions, integer} from '../parse.ts';

interface BenchCommandOptions {
	device: string;
	precision: Precision;
	batchSize: number;
	repetitions?: number;
	json?: boolean;
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
		.argument('[trial]', "a trial, the beginning of some trials' names, or 'all'; an unknown one lists them")
		.addOption(commonOptions.device())
		.addOption(commonOptions.precision())
		.option('--batch-size <number>', 'pictures at once', integer(1), 128)
		.option('--repetitions <number>', 'samples taken of each trial', integer(1))
		.addOption(commonOptions.json());
	command.action(async (pattern: string | undefined, options: BenchCommandOptions) => {
		const trials = pattern === undefined ? wholeNet : chosen(trialNames(), pattern);
		if (trials.length === 0) {
			const message = `error: there is no trial '${pattern ?? ''}'. Trials: ${trialNames().join(', ')}`;
			command.error(message, {exitCode: exitCodes.usage});
		}
		await bench(trials, options);
	});
}

function chosen(names: readonly string[], pattern: string): readonly string[] {
	if (names.includes(pattern)) return [pattern];
	return names.filter((name) => pattern === 'all' || name.startsWith(pattern));
}

async function bench(trials: readonly string[], options: BenchCommandOptions): Promise<void> {
	const output = new Output(options);
	const {precision, batchSize, repetitions} = options;
	const devices = benchmarkDevices(options.device.split(','), trials);
	output.note(describeRun(devices, precision));
	using interruptible = new Interruptible(() => output.note('Ending.'));
	const {signal} = interruptible;
	const onProgress = (trial: string, done: number): void => output.progress(trial, done, trials.length);
	const rows = await runTrials(trials, {devices, precision, batchSize, repetitions, signal, onProgress}).finally(() =>
		output.clear(),
	);
	output.json(rows);
	const [first] = rows;
	if (output.isJson || !first) return;
	const {header, cells} = benchmarkTable(rows);
	output.result(`${table(header, cells)}\n${describeMachine(first)}`);
}
