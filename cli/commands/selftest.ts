import {randomInt} from 'node:crypto';
import type {Command} from 'commander';
import {flag, option} from '../../lib/base/check.ts';
import {openDevice} from '../../lib/device/device.ts';
import {listDevices} from '../../lib/index.ts';
import {settingChecks} from '../../lib/net/options.ts';
import {factsOf} from '../../lib/selftest/facts.ts';
import type {TestResult} from '../../lib/selftest/result.ts';
import {selftest} from '../../lib/selftest/selftest.ts';
import {exitCodes} from '../exit-codes.ts';
import {Interruptible} from '../interrupt.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks} from '../parse.ts';
import {describeFacts, SelftestTable, verdict} from '../selftest-report.ts';

interface SelftestCommandOptions {
	device?: string;
	threads?: number;
	seed?: number;
	full?: boolean;
	json?: boolean;
}

const checks = {
	...commonChecks,
	device: option(commonChecks.device, 'devices, with commas between (default: every CUDA device, or else cpu:0)'),
	threads: option(commonChecks.threads, 'threads of each CPU, at most (default: all that there are)'),
	full: option(flag, "also the shapes of AlexNet's layers, and a training step of the whole net: some minutes"),
	seed: option(settingChecks.seed, 'decides all inputs (default: another each time)'),
};

export function addSelftest(program: Command): void {
	const command = program
		.command('selftest')
		.summary('check that devices compute what they must')
		.description(
			'Check every operation on a device against its definition in double precision, a training step against the CPU, ' +
				'and what devices send each other. Prints a report to paste into a bug report. ' +
				`Ends with code ${exitCodes.selftest} where something is wrong.`,
		);
	addOptions(command, checks, '--device <ids>', '--threads <number>', '--full', '--seed <number>', '--json');
	command.action(async (options: SelftestCommandOptions) => {
		const output = new Output(options);
		using interruptible = new Interruptible(() => output.note('Ending after the current test.'));
		await run(options, output, interruptible.signal);
	});
}

async function run(options: SelftestCommandOptions, output: Output, signal: AbortSignal): Promise<void> {
	const {seed = randomInt(2 ** 32), full = false, threads} = options;
	const devices = options.device === undefined ? everyGpu() : chosen(options.device);
	const facts = factsOf(devices, threads);
	output.result(describeFacts(facts, {seed, full, threads, isChosen: options.device !== undefined}));
	const table = new SelftestTable(devices);
	output.result(table.header);
	const results: TestResult[] = [];
	const onProgress = (test: string, done: number, total: number): void => output.progress(test, done, total);
	try {
		for await (const result of selftest({devices, seed, full, threads, signal, onProgress})) {
			results.push(result);
			output.result(table.row(result));
		}
	} finally {
		output.clear();
	}
	const {isPassed, text} = verdict(results);
	output.result(text);
	output.json({...facts, seed, full, threads, isPassed, results});
	if (!isPassed) process.exitCode = exitCodes.selftest;
}

function everyGpu(): string[] {
	const gpus = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
	return gpus.length > 0 ? gpus : ['cpu:0'];
}

/** @throws ALEXNET_DEVICE where one is not here. */
function chosen(list: string): string[] {
	const ids = list.split(',').map((id) => {
		const device = openDevice(id);
		device.close();
		return device.id;
	});
	return [...new Set(ids)];
}
