// What callers hand over: how values and options are checked, and the one place that words their refusal.
import {types} from 'node:util';
import {closest, distance} from 'fastest-levenshtein';
import * as v from 'valibot';
import {AlexNetError, type ErrorCode} from './errors.ts';

/** What a value must be. Its message completes the sentence "batchSize must be …". */
export type Check<T> = v.GenericSchema<T> & {
	/** All that it can be, where that is little. */
	readonly known?: readonly (string | number)[];
	/** Of an option: what it is for. Its docstring begins with this, as test/option-docs.test.ts sees to. */
	readonly help?: string;
	/** Of an option: what it is where it is left out. */
	readonly default?: unknown;
};

/** An option that has a default. */
export type Option<T> = Check<T> & {readonly help: string; readonly default: T};

/** An option, described once for the library, the command line and the README. */
export function option<T>(check: Check<T>, help: string, whereLeftOut: NoInfer<T>): Option<T>;
export function option<T>(check: Check<T>, help: string): Check<T> & {readonly help: string};
export function option(check: Check<unknown>, help: string, whereLeftOut?: unknown): Check<unknown> {
	return {...check, help, default: whereLeftOut};
}

/** @param expected ends the sentence that begins with the value's name and "must be" */
export function must<T>(expected: string, is: (value: unknown) => boolean): Check<T> {
	return v.custom<T>(is, expected);
}

/** @param most inclusive upper bound, none by default */
export const integer = (least: number, most = Infinity): Check<number> =>
	must(
		`an integer of at least ${least}${most === Infinity ? '' : ` and at most ${most}`}`,
		(value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
	);

/** @param below exclusive upper bound, none by default */
export const number = (least: number, below = Infinity): Check<number> =>
	must(
		`a number of at least ${least}${below === Infinity ? '' : ` and below ${below}`}`,
		(value) => Number.isFinite(value) && Number(value) >= least && Number(value) < below,
	);

export const finite: Check<number> = must('a finite number', (value) => Number.isFinite(value));

export const oneOf = <const T extends string | number>(known: readonly T[]): Check<T> => ({
	...must<T>(`one of ${known.join(', ')}`, (value) => known.includes(value as T)),
	known,
});

export const flag: Check<boolean> = must('true or false', (value) => typeof value === 'boolean');
export const text: Check<string> = must('a string', (value) => typeof value === 'string');

/** What a text begins with that is a URL: "https://", or "data:". */
export const schemeOf = (text: string): string | undefined => /^(data:|[a-z][a-z\d+.-]+:\/\/)/i.exec(text)?.[0];

/** In bytes, on all systems; a longer one is data that was taken for a path. */
const longestName = 255;

/** Of a file or folder. */
export const filePath: Check<string> = must(
	`a path, a string that is not empty, no URL, and of names of at most ${longestName} bytes`,
	(value) =>
		typeof value === 'string' &&
		value !== '' &&
		!value.includes('\0') &&
		schemeOf(value) === undefined &&
		value.split(/[/\\]/).every((part) => Buffer.byteLength(part) <= longestName),
);

/** Whatever there is. */
export const unknown: Check<unknown> = v.unknown();

/** An array of what `item` describes; of a longer one than `most` no item is looked at. */
export const listOf = <T>(item: Check<T>, most = Infinity): Check<readonly T[]> =>
	v.lazy<Check<readonly T[]>>((value) =>
		Array.isArray(value) && value.length > most
			? must(`an array of at most ${most}`, () => false)
			: v.array(item, 'an array'),
	);

/** The same of perhaps millions: only where one is wrong they are looked at one by one. */
export const manyOf = <T>(expected: string, is: (value: unknown) => boolean): Check<readonly T[]> =>
	v.lazy<Check<readonly T[]>>((value) =>
		Array.isArray(value) && value.every(is) ? must('', () => true) : v.array(must<T>(expected, is), 'an array'),
	);

const name = must<string>('a string that is not empty', (value) => typeof value === 'string' && value !== '');

/** Classes: the last layer alone would take 4 GB, and comparing more names takes long. */
const mostNames = 2 ** 18;

/** At least so many names, of which none is there twice, whatever Unicode form it is in. */
export const distinctNames = (least: number): Check<readonly string[]> =>
	v.pipe(
		v.array(name, 'an array of names'),
		v.maxLength(mostNames, `at most ${mostNames} names`),
		v.minLength(least, `at least ${least} names`),
		v.check(
			(names) => firstTwice(names) === undefined,
			({input}) => `names that differ ('${shortened(firstTwice(input) ?? '')}' is there twice)`,
		),
	);

function firstTwice(names: readonly string[]): string | undefined {
	const seen = new Set<string>();
	return names.find((name) => seen.size === seen.add(name.normalize('NFC')).size);
}

/** An array of any type; what is in it is not looked at. */
export const arrayOf = <T>(items: string): Check<ArrayLike<T>> => must(`an array of ${items}`, isArray);

/** Integers in an array of any type. */
export const integers = (least: number): Check<ArrayLike<number>> =>
	must(`an array of integers of at least ${least}`, (value) => {
		return isArray(value) && Array.from(value).every((item) => Number.isSafeInteger(item) && Number(item) >= least);
	});

function isArray(value: unknown): value is ArrayLike<unknown> {
	return typeof value === 'object' && value !== null && 'length' in value && Number.isSafeInteger(value.length);
}

// Arrays of any realm: test runners have several.
export const bytes: Check<Uint8Array> = must('a Uint8Array', types.isUint8Array);
export const floats: Check<Float32Array> = must('a Float32Array', types.isFloat32Array);

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

/** Fields that valibot's records let pass, whatever is in them. */
const passedOver = ['__proto__', 'prototype', 'constructor'];

/** An object of which every field is as `item` describes. */
export const recordOf = <T>(item: Check<T>): Check<Readonly<Record<string, T>>> =>
	v.lazy<Check<Readonly<Record<string, T>>>>((value) => {
		const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
		if (!isObject) return must('an object', () => false);
		const fields = value as Record<string, unknown>;
		const wrong = passedOver.find((name) => Object.hasOwn(fields, name) && !v.is(item, fields[name]));
		return wrong === undefined
			? v.record(v.string(), item, 'an object')
			: must(`an object without a ${wrong} like that`, () => false);
	});

/** An object whose `type` names the one of the checks that it must pass. */
export function byType<T extends {readonly type: string}>(checks: {
	readonly [Type in T['type']]: Check<Extract<T, {type: Type}>>;
}): Check<T> {
	const known = new Map<unknown, Check<T>>(Object.entries<Check<T>>(checks));
	const unknownType = fields<{type: T['type']}>({type: oneOf(Object.keys(checks) as T['type'][])}) as Check<T>;
	return v.lazy((value) => known.get((value as {type?: unknown} | null)?.type) ?? unknownType);
}

/** Marks an option that must be given. */
export const needed = <T>(check: Check<T>): Needed<T> => ({...check, isNeeded: true});
type Needed<T> = Check<T> & {readonly isNeeded: true};

/** A check for each option that there is, `needed` where it cannot be left out. */
type OptionChecks<T> = {
	readonly [Name in keyof T]-?: undefined extends T[Name]
		? Check<Exclude<T[Name], undefined>> & {readonly isNeeded?: never}
		: Needed<T[Name]>;
};

/** What an object of options must be. */
export type Options<T, C = OptionChecks<T>> = Check<T> & {
	/** Option by option: for options that have these among them. */
	readonly checks: C;
};

/** What has passed a check: `Checked<typeof trainOptions>` are options with their defaults. */
export type Checked<K extends Check<unknown>> = K extends {readonly checks: infer C}
	? {
			[Name in keyof v.InferOutput<K>]-?: C[Name & keyof C] extends
				{readonly default: unknown} | {readonly isNeeded: true}
				? Exclude<v.InferOutput<K>[Name], undefined>
				: v.InferOutput<K>[Name] | undefined;
		}
	: v.InferOutput<K>;

/**
 * No option has another type than its check says, and none is unknown. Called as `options<T>()({…})`: of two type
 * parameters TypeScript infers both or neither.
 */
export const options =
	<T extends object>() =>
	<const C extends OptionChecks<T>>(checks: C & Record<Exclude<keyof C, keyof T>, never>): Options<T, C> =>
		optionsOf<T, C>(checks);

function optionsOf<T, C extends OptionChecks<T>>(checks: C): Options<T, C> {
	const known = Object.keys(checks);
	const entries = Object.entries<Check<unknown>>(checks).map(([name, check]) => {
		return [name, 'isNeeded' in check ? check : v.optional(check)] as const;
	});
	const byName = new Map(entries);
	const refusal = ({expected, path}: v.StrictObjectIssue): string => {
		const name = String(path?.at(-1)?.key);
		if (expected === 'never') return unknownOption(name, known);
		return refusalOf(byName.get(name) ?? v.never(), undefined) ?? ''; // it was left out
	};
	const isObject = must<object>('an object', (value) => Object.prototype.toString.call(value) === '[object Object]');
	const schema = v.pipe(isObject, v.strictObject(Object.fromEntries(entries), refusal));
	return Object.assign(schema as unknown as Check<T>, {checks});
}

/** The same options, each of which must be given. */
export function allNeeded<T extends object>({checks}: Options<T>): Options<AllOf<T>> {
	const all = Object.entries<Check<unknown>>(checks).map(([name, check]) => [name, needed(check)] as const);
	return optionsOf(Object.fromEntries(all) as unknown as OptionChecks<AllOf<T>>);
}

type AllOf<T> = {[Name in keyof T]-?: Exclude<T[Name], undefined>};

/** Those of `values` that are options of `check`, and the defaults of those that are left out. */
export function filled<T, C extends OptionChecks<T>>({checks}: Options<T, C>, values: T): Checked<Options<T, C>> {
	const given = values as Readonly<Record<string, unknown>>;
	const all = Object.entries<Check<unknown>>(checks).flatMap(([name, check]) => {
		const value = given[name] === undefined ? check.default : given[name];
		return name in given || value !== undefined ? [[name, value] as const] : [];
	});
	return Object.fromEntries(all) as Checked<Options<T, C>>;
}

/** "Did you mean 'devices'?", where a known name is that near. */
export function suggestion(name: string, known: readonly string[]): string | undefined {
	const nearest = closest(name, known);
	const isNear = distance(name, nearest) <= 2 || nearest.startsWith(name) || name.startsWith(nearest);
	return isNear ? `Did you mean '${nearest}'?` : undefined;
}

function unknownOption(name: string, known: readonly string[]): string {
	return `no option '${name}'. ${suggestion(name, known) ?? `There are: ${known.join(', ')}.`}`;
}

/**
 * The value, where it is as `check` says; of options with the defaults of those that are left out.
 *
 * @param what the value's name: "batchSize"; of an options object the function's, as in "AlexNet.create has no option
 * 'device'. Did you mean 'devices'?"
 * @throws ALEXNET_ARGUMENT, or `code`, with the name, what it must be and what it is.
 */
export function checked<K extends Check<unknown>>(
	what: string,
	check: K,
	value: unknown,
	code: ErrorCode = 'ALEXNET_ARGUMENT',
): Checked<K> {
	const result = v.safeParse(check, value, {abortEarly: true});
	// Not valibot's copy, which is a deep one.
	if (result.success)
		return ('checks' in check ? filled(check as Options<object>, value as object) : value) as Checked<K>;
	const [{expected, message, input, path = []}] = result.issues;
	if (expected === 'never') throw new AlexNetError(code, `${what} has ${message}`);
	const name = path.map(({key}, depth) =>
		typeof key === 'number' ? `[${key}]` : `${depth > 0 ? '.' : ''}${shortened(String(key))}`,
	);
	const whole = 'checks' in check ? `The options of ${what}` : what;
	throw new AlexNetError(code, `${name.join('') || whole} must be ${message}, got ${inWords(input)}.`);
}

/** What the value must be, where it is not as `check` says. */
export function refusalOf(check: Check<unknown>, value: unknown): string | undefined {
	return v.safeParse(check, value).issues?.[0].message;
}

/** What an error shows of a text, such as a name that a file may have made megabytes long. */
export const shortened = (text: string, most = 200): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** A value as an error shows it: short, and never a picture's bytes. */
export function inWords(value: unknown): string {
	if (typeof value === 'bigint') return `${value}n`;
	if (typeof value === 'string') return `'${shortened(value, 40)}'`;
	if (typeof value === 'function') return 'a function';
	if (typeof value !== 'object' || value === null) return String(value);
	// Data from a file may have fields of these names, and anything in them.
	const {constructor} = value;
	const kind = typeof constructor === 'function' ? constructor.name : 'Object';
	const length = 'length' in value && typeof value.length === 'number' ? ` of ${value.length}` : '';
	return `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}${length}`;
}

export function requireLength(what: string, length: number, expected: number): void {
	if (length === expected) return;
	throw new AlexNetError('ALEXNET_SHAPE', `${what} must have ${expected} values, got ${length}.`);
}
