// Options of the command line: what describes an option of the library describes it here too. What they refuse is a
// usage error that names the option.
import {InvalidArgumentError, Option, type Command} from 'commander';
import {flag, must, option, refusalOf, type Check} from '../lib/base/check.ts';
import {runOptions, settingChecks, type Precision, type RunOptions} from '../lib/net/options.ts';

type Checks = Readonly<Record<string, Check<unknown>>>;

/** Adds options by their flags: `--batch-size <number>` is what `checks` describe as batchSize. */
export function addOptions(command: Command, checks: Checks, ...flags: readonly string[]): void {
	for (const each of flags) command.addOption(new CheckedOption(each, checks));
}

export class CheckedOption extends Option {
	readonly check: Check<unknown>;

	constructor(flags: string, checks: Checks) {
		super(flags);
		const check = checks[this.attributeName()];
		if (check?.help === undefined) throw new Error(`Nothing describes ${flags}.`);
		this.check = check;
		this.description = this.negate ? `without ${check.help}` : check.help;
		if (!this.required && !this.optional) return;
		this.default(check.default);
		const {known = []} = check;
		if (accepts(check, [])) this.description += ' (with commas between)';
		if (known.some((value) => typeof value === 'string')) this.choices(known.map(String));
		else this.argParser((text) => valueOf(text, check));
	}
}

const accepts = (check: Check<unknown>, value: unknown): boolean => refusalOf(check, value) === undefined;

/** Reads an argument or an option's value. */
export function valueOf<T>(text: string, check: Check<T>): T {
	const words = text.split(',');
	const readings = [text, words, words.map(toNumber)];
	const number = toNumber(text);
	const value = readings.find((reading) => accepts(check, reading)) ?? (Number.isNaN(number) ? text : number);
	const refusal = refusalOf(check, value);
	if (refusal === undefined) return value as T;
	throw new InvalidArgumentError(`Expected ${check.known?.join(' or ') ?? refusal}.`);
}

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function toNumber(text: string): number {
	// Number() reads '' as 0 and '0x10' as 16.
	return numeral.test(text) ? Number(text) : NaN;
}

/** Ids separated by commas. Whether they are here, and how many it takes, is another matter. */
const deviceIds = must<string>('a device such as cpu or cuda:0, or several with commas between', (value) => {
	return typeof value === 'string' && value.split(',').every((id) => id.trim() !== '');
});

/** Options that several commands have. */
export const commonChecks = {
	device: option(
		deviceIds,
		"where to run, as 'alexnet devices' lists them; cpu:0,cpu:1 for a column on each",
		String(runOptions.checks.devices.default),
	),
	threads: runOptions.checks.threads,
	precision: runOptions.checks.precision,
	batchSize: option(settingChecks.batchSize, 'pictures at once', settingChecks.batchSize.default),
	json: option(flag, 'print results as JSON'),
};

export interface RunCommandOptions {
	device: string;
	threads?: number;
	precision: Precision;
	json?: boolean;
}

/** More would take memory for little speed. */
const viewsAtOnce = 32;

/** Options of a command that only infers. */
export const inferenceChecks = {
	...commonChecks,
	batchSize: option(commonChecks.batchSize, 'pictures at once', viewsAtOnce),
};

export interface InferenceCommandOptions extends RunCommandOptions {
	batchSize: number;
}

/** How it loads a net. */
export function inferring({device, threads, precision, batchSize}: InferenceCommandOptions): RunOptions {
	return {devices: device.split(','), threads, precision, batchSize, inferenceOnly: true};
}

export const runFlags = ['--device <id>', '--threads <number>', '--precision <precision>'] as const;
export const inferenceFlags = [...runFlags, '--batch-size <number>'] as const;
