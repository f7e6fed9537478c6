// Parsers of option values. What they refuse is a usage error that names the option.
import {InvalidArgumentError, Option} from 'commander';

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function toNumber(text: string): number {
	// Number() reads '' as 0 and '0x10' as 16.
	return numeral.test(text) ? Number(text) : NaN;
}

/** An integer of at least `least`. */
export function integer(least: number): (text: string) => number {
	return (text) => {
		const value = toNumber(text);
		if (Number.isSafeInteger(value) && value >= least) return value;
		throw new InvalidArgumentError(`Expected an integer of at least ${least}.`);
	};
}

/** A number of at least `least` and, where that is given, below `below`. */
export function number(least: number, below = Infinity): (text: string) => number {
	return (text) => {
		const value = toNumber(text);
		if (Number.isFinite(value) && value >= least && value < below) return value;
		throw new InvalidArgumentError(
			`Expected a number of at least ${least}${below === Infinity ? '' : ` and below ${below}`}.`,
		);
	};
}

/** Integers separated by commas. */
export function integers(least: number): (text: string) => number[] {
	return (text) => text.split(',').map(integer(least));
}

/** One of a few integers. */
export function oneOf<T extends number>(...known: readonly T[]): (text: string) => T {
	return (text) => {
		const value = known.find((candidate) => candidate === toNumber(text));
		if (value !== undefined) return value;
		throw new InvalidArgumentError(`Expected ${known.join(' or ')}.`);
	};
}

/** Ids of devices separated by commas. Whether they are here, and how many it takes, is another matter. */
export function deviceIds(text: string): string {
	if (text.split(',').every((id) => id.trim() !== '')) return text;
	throw new InvalidArgumentError('Expected a device such as cpu or cuda:0, or several with commas between.');
}

/** Options that several commands have. */
export const commonOptions = {
	json: (description = 'print results as JSON') => new Option('--json', description),
	device: () =>
		new Option('--device <id>', "where to run, as 'alexnet devices' lists them; cpu:0,cpu:1 for a column on each")
			.argParser(deviceIds)
			.default('cpu'),
	threads: () =>
		new Option('--threads <number>', 'of the CPU, at most; all that this process may use, where not given').argParser(
			integer(1),
		),
	precision: () =>
		new Option('--precision <precision>', 'type of activations and multiplications')
			.choices(['fp32', 'bf16'])
			.default('fp32'),
	crops: (picture = 'picture') =>
		new Option('--crops <number>', `views of a ${picture} that are averaged: 1 (centre) or 10`)
			.argParser(oneOf(1, 10))
			.default(1),
};
