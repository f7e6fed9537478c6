import type {Command} from 'commander';
import {modelledStep} from '../../benchmarks/modelled-step.ts';
import {must, option, text} from '../../lib/base/check.ts';
import {AlexNetError} from '../../lib/base/errors.ts';
import {alexnet} from '../../lib/net/alexnet.ts';
import {blocksOf, type Block} from '../../lib/scaling/blocks.ts';
import {planOptions, type Planned} from '../../lib/scaling/options.ts';
import {planOf} from '../../lib/scaling/plan.ts';
import {measuredStep, type Measurement, type StepOf} from '../../lib/scaling/rank-step.ts';
import {exitCodes} from '../exit-codes.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks} from '../parse.ts';
import {planJson, planText, type ToldPlan} from '../plan-report.ts';

export interface PlanCommandOptions extends Planned {
	device: string;
	stepMs?: string | undefined;
	json?: boolean;
}

/** ImageNet's. */
const classes = 1000;
const stepsPattern = /^(\d+:)?\d*\.?\d+(,\d+:\d*\.?\d+)*$/;

const checks = {
	...planOptions.checks,
	device: option(text, 'a rank is a GPU that is not here; its step is modelled', 'H100'),
	stepMs: option(
		must<string>(
			'measured milliseconds of a step, such as 1300, or of several batches, such as 16:1300,64:5600, of which larger ones take longer',
			(value) => typeof value === 'string' && stepsPattern.test(value) && areSteps(measurementsIn(value, 1)),
		),
		'measured milliseconds of a step on one rank, in place of a modelled GPU: of --batch-size pictures, or of several ' +
			'batches, as 16:1300,64:5600',
	),
	json: commonChecks.json,
};

const flags = [
	...['--ranks <number>', '--network <network>', '--per-node <number>', '--inside <network>', '--efficiency <share>'],
	...['--latency <microseconds>', '--path <path>', '--sum-rate <number>', '--no-overlap', '--device <gpu>'],
	...['--step-ms <milliseconds>', '--batch-size <number>', '--precision <precision>', '--wire <type>'],
	...['--preset <preset>', '--json'],
];

export function addPlan(program: Command): void {
	const command = program
		.command('plan')
		.summary('how training would scale with ranks, by a model')
		.description(
			'Tell how long a training step of several ranks would take, what bounds it, and up to how many ranks it pays, from ' +
				'a step that is modelled or measured and from what joins them. Nothing is run and nothing has to be here. The ' +
				'model, its assumptions and tables: docs/scaling.md.',
		);
	addOptions(command, checks, ...flags);
	command.action((options: PlanCommandOptions) => {
		if (options.stepMs !== undefined && command.getOptionValueSource('device') === 'cli') {
			command.error('error: --device is modelled, --step-ms measured: leave one of them out', {
				exitCode: exitCodes.usage,
			});
		}
		const output = new Output(options);
		const told = toldPlan(options);
		output.json(planJson(told));
		if (!output.isJson) output.result(planText(told));
	});
}

/** @throws ALEXNET_ARGUMENT where nobody knows how long a step takes, or ranks do not fill their machines. */
export function toldPlan(options: PlanCommandOptions): ToldPlan {
	const blocks = blocksOf(alexnet({preset: options.preset, classes}));
	return {options, blocks, rank: rankOf(options), plan: planOf(options, blocks, stepOf(options, blocks))};
}

function rankOf({device, stepMs}: PlanCommandOptions): string {
	return stepMs === undefined ? `a modelled ${device}` : 'as it was measured';
}

function stepOf({device, stepMs, batchSize, precision, preset}: PlanCommandOptions, blocks: readonly Block[]): StepOf {
	if (stepMs !== undefined) return measuredStep(blocks, measurementsIn(stepMs, batchSize));
	if (preset === 'paper') return modelledStep(device, precision);
	const message = `preset must be 'paper' for a modelled GPU, got '${preset}'. Measure a step, and give stepMs.`;
	throw new AlexNetError('ALEXNET_ARGUMENT', message);
}

/** @param batchSize of a step whose pictures are not told */
function measurementsIn(told: string, batchSize: number): Measurement[] {
	return told.split(',').map((each) => {
		const [first = '', second] = each.split(':');
		return second === undefined ? [batchSize, Number(first)] : [Number(first), Number(second)];
	});
}

/** Whether more pictures take longer, so that a line through the steps never falls. */
function areSteps(measurements: readonly Measurement[]): boolean {
	const sorted = measurements.toSorted(([a], [b]) => a - b);
	return sorted.every(([pictures, milliseconds], place) => {
		const [fewer, faster] = sorted[place - 1] ?? [0, 0];
		return pictures > fewer && milliseconds > faster;
	});
}
