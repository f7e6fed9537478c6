// What callers hand over: how values and options are checked, and the one place that words their refusal.
import {closest, distance} from 'fastest-levenshtein';
import * as v from 'valibot';
import {AlexNetError, type ErrorCode} from './errors.ts';

/** What a value must be. Its message completes the sentence "batchSize must be …". */
export type Check<T> = v.GenericSchema<T>;

export function must<T>(expected: string, is: (value: unknown) => boolean): Check<T> {
	return v.custom<T>(is, expected);
}

export const integer = (least: number): Check<number> =>
	must(`an integer of at least ${least}`, (value) => Number.isSafeInteger(value) && Number(value) >= least);

/** @param below exclusive upper bound, none by default */
export const number = (least: number, below = Infinity): Check<number> =>
	must(
		`a number of at least ${least}${below === Infinity ? '' : ` and below ${below}`}`,
		(value) => Number.isFinite(value) && Number(value) >= least && Number(value) < below,
	);

export const finite: Check<number> = must('a finite number', (value) => Number.isFinite(value));

export const oneOf = <const T extends string | number>(known: readonly T[]): Check<T> =>
	must(`one of ${known.join(', ')}`, (value) => known.includes(value as T));

export const flag: Check<boolean> = must('true or false', (value) => typeof value === 'boolean');
export const text: Check<string> = must('a string', (value) => typeof value === 'string');

/** An array of what `item` describes; of a longer one than `most` no item is looked at. */
export const listOf = <T>(item: Check<T>, most = Infinity): Check<readonly T[]> =>
	v.lazy<Check<readonly T[]>>((value) =>
		Array.isArray(value) && value.length > most
			? must(`an array of at most ${most}`, () => false)
			: v.array(item, 'an array'),
	);

export const instanceOf = <T>(kind: abstract new (...args: never) => T): Check<T> =>
	must(`an instance of ${kind.name}`, (value) => value instanceof kind);

export const callback = <T extends (...args: never) => unknown>(): Check<T> =>
	must('a function', (value) => typeof value === 'function');

export const either = <A, B>(first: Check<A>, second: Check<B>, expected: string): Check<A | B> =>
	v.union([first, second], expected);

/** What `check` describes, where `is` holds as well. */
export const where = <T>(check: Check<T>, is: (value: T) => boolean, expected: string): Check<T> =>
	v.pipe(check, v.check(is, expected));

/** A field that may be missing. */
export const optional = <T>(check: Check<T>): Check<T | undefined> => v.optional(check);

/** Data from a file: an object with these fields, whatever else it has. */
export function fields<T extends object>(checks: {readonly [Name in keyof T]-?: Check<T[Name]>}): Check<T> {
	const refusal = (issue: v.ObjectIssue): string => (issue.path ? 'given' : 'an object');
	return v.object(checks, refusal) as unknown as Check<T>;
}

/** An object of which every field is as `item` describes. */
export const recordOf = <T>(item: Check<T>): Check<Readonly<Record<string, T>>> =>
	v.record(v.string(), item, 'an object');

/** An object whose `type` names the one of the checks that it must pass. */
export function byType<T extends {readonly type: string}>(checks: {
	readonly [Type in T['type']]: Check<Extract<T, {type: Type}>>;
}): Check<T> {
	const known = new Map<unknown, Check<T>>(Object.entries<Check<T>>(checks));
	const unknownType = fields<{type: T['type']}>({type: oneOf(Object.keys(checks) as T['type'][])}) as Check<T>;
	return v.lazy((value) => known.get((value as {type?: unknown} | null)?.type) ?? unknownType);
}

/** A check for each option that there is; options may be left out. */
type OptionChecks<T> = {readonly [Name in keyof T]-?: Check<Exclude<T[Name], undefined>>};

/** What an object of options must be: no option has another type, and none is unknown. */
export function options<T extends object>(checks: OptionChecks<T>): Check<T> {
	const known = Object.keys(checks);
	const entries = Object.entries<Check<unknown>>(checks).map(([name, check]) => [name, v.optional(check)] as const);
	const refusal = (issue: v.StrictObjectIssue): string =>
		issue.expected === 'never' ? unknown(String(issue.path?.at(-1)?.key), known) : 'an object of options';
	return v.strictObject(Object.fromEntries(entries), refusal) as unknown as Check<T>;
}

function unknown(name: string, known: readonly string[]): string {
	const nearest = closest(name, known);
	const isNear = distance(name, nearest) <= 2 || nearest.startsWith(name) || name.startsWith(nearest);
	return `no option '${name}'. ${isNear ? `Did you mean '${nearest}'?` : `There are: ${known.join(', ')}.`}`;
}

/**
 * The value, where it is as `check` says.
 *
 * @param what the value's name: "batchSize"; of an options object the function's, as in "AlexNet.create has no option
 * 'device'. Did you mean 'devices'?"
 * @throws ALEXNET_ARGUMENT, or `code`, with the name, what it must be and what it is.
 */
export function checked<T>(what: string, check: Check<T>, value: unknown, code: ErrorCode = 'ALEXNET_ARGUMENT'): T {
	const result = v.safeParse(check, value, {abortEarly: true});
	if (result.success) return result.output;
	const [{expected, message, input, path = []}] = result.issues;
	if (expected === 'never') throw new AlexNetError(code, `${what} has ${message}`);
	const name = path.map(({key}, depth) =>
		typeof key === 'number' ? `[${key}]` : `${depth > 0 ? '.' : ''}${String(key)}`,
	);
	throw new AlexNetError(code, `${name.join('') || what} must be ${message}, got ${inWords(input)}.`);
}

/** A value as an error shows it: short, and never a picture's bytes. */
function inWords(value: unknown): string {
	if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 40)}…'` : `'${value}'`;
	if (typeof value === 'function') return 'a function';
	if (typeof value !== 'object' || value === null) return String(value);
	const {constructor} = value as {constructor?: {name?: string}};
	const length = 'length' in value ? ` of ${String(value.length)}` : '';
	return `${/^[AEIO]/.test(constructor?.name ?? 'Object') ? 'an' : 'a'} ${constructor?.name ?? 'Object'}${length}`;
}

export function requireInteger(name: string, value: number, least: number): number {
	return checked(name, integer(least), value);
}

/** @param below exclusive upper bound, none by default */
export function requireNumber(name: string, value: number, least: number, below = Infinity): number {
	return checked(name, number(least, below), value);
}

export function requireOneOf<T extends string | number>(name: string, value: T, known: readonly T[]): T {
	return checked(name, oneOf(known), value);
}

export function requireLength(what: string, length: number, expected: number): void {
	if (length === expected) return;
	throw new AlexNetError('ALEXNET_SHAPE', `${what} must have ${expected} values, got ${length}.`);
}
