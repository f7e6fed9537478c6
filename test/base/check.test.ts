// How options are checked, and how a refusal reads.
import test from 'ava';
import {
	callback,
	checked,
	distinctNames,
	either,
	filled,
	flag,
	instanceOf,
	integer,
	listOf,
	number,
	oneOf,
	option,
	options,
	recordOf,
	text,
} from '../../lib/base/check.ts';

interface Meal {
	guests?: number | undefined;
	share?: number | undefined;
	dish?: 'soup' | 'salad' | undefined;
	names?: readonly string[] | undefined;
	tables?: string | readonly string[] | undefined;
	outside?: boolean | undefined;
	signal?: AbortSignal | undefined;
	onServed?: (() => void) | undefined;
}

const meal = options<Meal>()({
	guests: integer(1),
	share: number(0, 1),
	dish: oneOf(['soup', 'salad']),
	names: listOf(text),
	tables: either(text, listOf(text), 'a table or a list of tables'),
	outside: flag,
	signal: instanceOf(AbortSignal),
	onServed: callback(),
});

test('options that are as described come back', (t) => {
	const {signal} = new AbortController();
	const given: Meal = {guests: 2, share: 0, dish: 'soup', names: [], tables: ['a'], outside: false, signal};
	t.deepEqual(checked('serve', meal, given), given);
	t.deepEqual(checked('serve', meal, {guests: undefined}), {guests: undefined});
});

test('names of which one is there twice are refused, in whichever Unicode form', (t) => {
	const names = distinctNames(1);
	const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
	t.deepEqual(checked('labels', names, [composed, 'cafe', 'Cafe']), [composed, 'cafe', 'Cafe']);
	for (const twice of [composed, decomposed]) {
		t.throws(() => checked('labels', names, [composed, 'cat', twice]), {
			code: 'ALEXNET_ARGUMENT',
			message: `labels must be names that differ ('${twice}' is there twice), got an Array of 3.`,
		});
	}
});

interface Seats {
	chairs?: number | undefined;
	shape?: 'round' | 'square' | undefined;
}

const seats = options<Seats>()({
	chairs: option(integer(1), 'chairs at the table', 4),
	shape: oneOf(['round', 'square']),
});

test('what is left out is the default, if there is one', (t) => {
	const given = {chairs: undefined, shape: 'round'} as const;
	t.deepEqual(checked('seat', seats, given), {chairs: 4, shape: 'round'});
	t.deepEqual(given, {chairs: undefined, shape: 'round'});
	t.deepEqual(checked('seat', seats, {}), {chairs: 4});
	t.deepEqual(checked('seat', seats, {chairs: 2}), {chairs: 2});
	t.throws(() => checked('seat', seats, {chairs: null}), {
		message: 'chairs must be an integer of at least 1, got null.',
	});
});

test('of several options those of a check are taken, with its defaults', (t) => {
	const all: Seats & Meal = {guests: 3, shape: 'square'};
	t.deepEqual(filled(seats, all), {chairs: 4, shape: 'square'});
	t.deepEqual(filled(seats, {}), {chairs: 4});
});

const refused: readonly (readonly [unknown, string])[] = [
	[{guest: 2}, "serve has no option 'guest'. Did you mean 'guests'?"],
	[
		{colour: 2},
		"serve has no option 'colour'. There are: guests, share, dish, names, tables, outside, signal, onServed.",
	],
	[{guests: 0}, 'guests must be an integer of at least 1, got 0.'],
	[{guests: '2'}, "guests must be an integer of at least 1, got '2'."],
	[{guests: null}, 'guests must be an integer of at least 1, got null.'],
	[{share: 1}, 'share must be a number of at least 0 and below 1, got 1.'],
	[{share: NaN}, 'share must be a number of at least 0 and below 1, got NaN.'],
	[{dish: 'stew'}, "dish must be one of soup, salad, got 'stew'."],
	[{names: ['a', 1]}, 'names[1] must be a string, got 1.'],
	[{names: 'a'}, "names must be an array, got 'a'."],
	[{tables: 3}, 'tables must be a table or a list of tables, got 3.'],
	[{outside: 'no'}, "outside must be true or false, got 'no'."],
	[{signal: {}}, 'signal must be an instance of AbortSignal, got an Object.'],
	[{onServed: new Uint8Array(3)}, 'onServed must be a function, got a Uint8Array of 3.'],
	[{names: 'x'.repeat(1000)}, `names must be an array, got '${'x'.repeat(40)}…'.`],
	['soup', "The options of serve must be an object, got 'soup'."],
	[null, 'The options of serve must be an object, got null.'],
];

for (const [given, message] of refused) {
	test(message, (t) => {
		t.throws(() => checked('serve', meal, given), {code: 'ALEXNET_ARGUMENT', message});
	});
}

test('every field of a record is checked, whatever its name', (t) => {
	const counts = recordOf(integer(0));
	for (const name of ['__proto__', 'prototype', 'constructor', 'toString', 'apples']) {
		const counted = (count: unknown): unknown => JSON.parse(JSON.stringify({'': count}).replace('""', `"${name}"`));
		t.deepEqual(Object.entries(checked('counts', counts, counted(3))), [[name, 3]]);
		t.throws(() => checked('counts', counts, counted('many')), {code: 'ALEXNET_ARGUMENT', message: new RegExp(name)});
	}
	t.throws(() => checked('counts', counts, [3]), {message: 'counts must be an object, got an Array of 1.'});
	t.throws(() => checked('counts', counts, null), {message: 'counts must be an object, got null.'});
});
