import {Argument, type Command} from 'commander';
import {flag, option} from '../../lib/base/check.ts';
import {header, rowOf} from '../../lib/experiments/experiment-page.ts';
import {experimentOptions} from '../../lib/experiments/run-experiment.ts';
import {listExperiments, runExperiment} from '../../lib/index.ts';
import type {ExperimentName, ExperimentProgress, ExperimentResult, ExperimentRun} from '../../lib/index.ts';
import {told} from '../../lib/experiments/findings.ts';
import {Interruption} from '../exit-codes.ts';
import {count, duration, table} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {outliveOutput, Output} from '../output.ts';
import {addOptions, commonChecks, runFlags, type RunCommandOptions} from '../parse.ts';

interface ExperimentCommandOptions extends RunCommandOptions {
	seeds?: number;
	out?: string;
	quick?: boolean;
	full?: boolean;
}

const list = 'list';

const checks = {
	...commonChecks,
	...{seeds: experimentOptions.checks.seeds},
	out: option(experimentOptions.checks.out, 'folder of the experiment (default: experiment- and its name)'),
	quick: option(flag, 'small nets and pictures, for minutes on two cores; the default'),
	full: option(flag, "the paper's net on all pictures; hours to days"),
};

export function addExperiment(program: Command): void {
	const names = listExperiments().map(({name}) => name);
	const command = program
		.command('experiment')
		.summary("put one of the paper's claims to the test")
		.description(
			'Train nets that differ in one thing, with the same seeds on the same pictures, and say what the numbers say: a ' +
				"table, a chart and a sentence, as experiment.html and experiment.json. 'list' tells what there is, what each " +
				'shows and costs.\nCtrl-C ends after the current step, with everything saved; the same command goes on from there.',
		)
		.addArgument(new Argument('<name>', `an experiment, or '${list}'`).choices([list, ...names]))
		.argument('[folder]', 'the pictures; left out, the example pictures that it is meant for');
	addOptions(command, checks, '--seeds <number>', '--out <folder>', '--quick', '--full', ...runFlags, '--json');
	command.options.find(({long}) => long === '--full')?.conflicts('quick');
	command.action(
		async (name: ExperimentName | typeof list, folder: string | undefined, options: ExperimentCommandOptions) => {
			const output = new Output(options);
			if (name === list) tellList(output);
			else await run(name, folder, options, output);
		},
	);
}

async function run(
	name: ExperimentName,
	folder: string | undefined,
	{device, seeds, out, full = false, threads, precision}: ExperimentCommandOptions,
	output: Output,
): Promise<void> {
	outliveOutput();
	using interruptible = new Interruptible(() =>
		output.note('Ending after the current step, with everything saved. Press Ctrl-C again to end at once.'),
	);
	try {
		const result = await runExperiment(name, {
			...{folder, out, seeds, form: full ? 'full' : 'quick', devices: device.split(','), threads, precision},
			...{signal: interruptible.signal},
			onProgress: (progress) => showProgress(output, progress),
			onRun: (ended) => output.note(describeRun(ended)),
		});
		output.json(result);
		output.result(describe(result));
	} catch (error) {
		output.clear();
		throw error instanceof Interruption
			? new Interruption(error.signal, 'The same command goes on from there.')
			: error;
	} finally {
		output.clear();
	}
}

function showProgress(output: Output, {run, runs, path, phase, done, total, secondsLeft}: ExperimentProgress): void {
	const phases = {
		pictures: 'example pictures',
		statistics: 'mean image and colours',
		training: '',
		validation: ', held-out pictures',
		measuring: ', measuring',
	};
	const task =
		phase === 'pictures' || phase === 'statistics' ? phases[phase] : `run ${run}/${runs}, ${path}${phases[phase]}`;
	output.progress(task, done, total, secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`);
}

function describeRun({path, arm, value, unit}: ExperimentRun): string {
	return `${path} (${arm}): ${value === null ? 'no number' : told(value, unit)}`;
}

export function describe(result: ExperimentResult): string {
	const {arms, unit, measure, pictures, sentence, notes, criterion, folder} = result;
	const rows = arms.map((arm) => rowOf(arm, unit));
	return [
		`${measure}; ${count(pictures.train, 'picture')} to train on, ${count(pictures.validation, 'picture')} held out, ${count(result.epochs, 'epoch')}, ${result.form} form, ${result.precision}`,
		...['', table(header, rows), '', sentence, ...notes, criterion],
		`All of it, with a chart: ${folder}/experiment.html`,
	].join('\n');
}

function tellList(output: Output): void {
	const all = listExperiments();
	output.json(all);
	if (output.isJson) return;
	const cost = ({runs, seconds}: (typeof all)[number]['cost']['quick']): string => `${runs} runs, ${duration(seconds)}`;
	const rows = all.map(({name, section, pictures, cost: {quick, full}}) => [
		name,
		section,
		pictures,
		cost(quick),
		cost(full),
	]);
	const heading = ['', 'in the paper', 'pictures', '--quick', '--full'];
	const shown = all.map(({name, shows, arms}) => `${name}: ${shows}\n  ${arms.join(' | ')}`);
	const note = "Times are estimates: of small nets on one core, of the paper's net on two.";
	output.result([table(heading, rows), '', note, '', ...shown].join('\n'));
}
