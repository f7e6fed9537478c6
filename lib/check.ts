// One place that words the refusal of an option.
import {AlexNetError} from './errors.ts';

export function requireInteger(name: string, value: number, least: number): number {
	if (Number.isSafeInteger(value) && value >= least) return value;
	throw new AlexNetError('ALEXNET_ARGUMENT', `${name} must be an integer of at least ${least}, got ${value}.`);
}

/** @param below exclusive upper bound, none by default */
export function requireNumber(name: string, value: number, least: number, below = Infinity): number {
	if (Number.isFinite(value) && value >= least && value < below) return value;
	const upper = below === Infinity ? '' : ` and below ${below}`;
	throw new AlexNetError('ALEXNET_ARGUMENT', `${name} must be a number of at least ${least}${upper}, got ${value}.`);
}

export function requireOneOf<T extends string | number>(name: string, value: T, known: readonly T[]): T {
	if (known.includes(value)) return value;
	throw new AlexNetError('ALEXNET_ARGUMENT', `${name} must be one of ${known.join(', ')}; got ${value}.`);
}

export function requireLength(what: string, length: number, expected: number): void {
	if (length === expected) return;
	throw new AlexNetError('ALEXNET_SHAPE', `${what} must have ${expected} values, got ${length}.`);
}
